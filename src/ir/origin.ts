/**
 * Names and locations for the nodes that are being built. A graph file does not pass them along: they are ambient while
 * it runs. `scope` prefixes names, `withOrigin` is for code that stands in for the author (rules, expansions), and the
 * frontend installs a provider that reads names and positions from the source text.
 */
import type { Loc } from "./error.ts";

export interface Origin {
  readonly name?: string | undefined;
  readonly loc?: Loc | undefined;
}
/** Called when a node of op `op` is built; looks at the call stack. */
export type OriginProvider = (op: string) => Origin;

let provider: OriginProvider | undefined;
let scopes: readonly string[] = [];
let fixed: Origin | undefined;

/** Runs `build` with names prefixed: inside `scope("h3", ...)`, `qkv` becomes `h3.qkv`. Nests. */
export function scope<T>(name: string, build: () => T): T {
  const outer = scopes;
  scopes = [...outer, name];
  try {
    return build();
  } finally {
    scopes = outer;
  }
}

/** Runs `build`; every node built inside is located at `origin.loc` and called `origin.name` + "." + op. */
export function withOrigin<T>(origin: Origin, build: () => T): T {
  const outer = fixed;
  fixed = origin;
  try {
    return build();
  } finally {
    fixed = outer;
  }
}

/** Runs `build` with names taken from the source by `read`. */
export function withProvider<T>(read: OriginProvider, build: () => T): T {
  const outer = provider;
  provider = read;
  try {
    return build();
  } finally {
    provider = outer;
  }
}

/** The origin of a node of op `op` that is being built now. */
export function originOf(op: string): Origin {
  if (fixed) return { name: fixed.name && `${fixed.name}.${op}`, loc: fixed.loc };
  if (!provider) return {};
  const { name, loc } = provider(op);
  return { name: name && [...scopes, name].join("."), loc };
}
