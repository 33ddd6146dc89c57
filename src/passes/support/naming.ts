import type { Node } from "../../ir/node.ts";
import { withOrigin } from "../../ir/origin.ts";

/** A name beside that of `n`: next to `h3.q`, `qkv` is `h3.qkv`. */
export const beside = (n: Node, name: string): string => {
  const scope = n.name?.slice(0, n.name.lastIndexOf(".") + 1) ?? "";
  return scope + name;
};

/** Builds nodes in the place of `n`: they carry its location, and names that start with `name`. */
export const inPlaceOf = <T>(n: Node, name: string | undefined, build: () => T): T =>
  withOrigin({ name: name ?? n.name, loc: n.loc }, build);
