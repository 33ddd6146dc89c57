/** The provider of origins for nodes that a graph file builds: name from the source text, location from the call stack. */
import { relative, sep } from "node:path";
import type { Loc } from "../ir/error.ts";
import type { OriginProvider } from "../ir/origin.ts";
import type { Site, Sources } from "./source.ts";
import { type Frame, userFrames } from "./stack.ts";

/**
 * Names as the author would say them: `const qkv = linear(...)` is `qkv`; an operand built inside that call is `qkv.layerNorm`;
 * what a helper returns is called what its caller calls it, or else after the helper.
 */
export function sourceNames(sources: Sources): OriginProvider {
  const known = new Map<Frame, Site>();
  const siteOf = (f: Frame): Site => {
    let site = known.get(f);
    if (!site) {
      site = sources.at(f.path, f.line, f.column);
      known.set(f, site);
    }
    return site;
  };

  /** What the value of the call at frame `i` is called. */
  const holder = (frames: readonly Frame[], i: number): string | undefined => {
    const frame = frames[i];
    if (!frame) return undefined;
    const site = siteOf(frame);
    if (site.returnedBy === undefined) return site.variable;
    const caller = frames[i + 1];
    const whole = caller !== undefined && !siteOf(caller).nested ? holder(frames, i + 1) : undefined;
    // A name that the caller gives through an anonymous function (`scope("h0", () => block(x))`) is the function's, not ours.
    const direct = caller !== undefined && siteOf(caller).returnedBy !== "";
    return site.returnedBy === "" ? whole : ((direct ? whole : undefined) ?? site.returnedBy);
  };

  return (op) => {
    const frames = userFrames();
    const [innermost] = frames;
    if (!innermost) return {};
    const name = holder(frames, 0);
    return { name: name && siteOf(innermost).nested ? `${name}.${op}` : name, loc: locOf(innermost) };
  };
}

/** Relative to the working directory where it lies inside, with forward slashes. */
export function locOf({ path, line, column }: Frame): Loc {
  const inside = relative(process.cwd(), path);
  const file = inside.startsWith("..") ? path : inside;
  return { file: file.split(sep).join("/"), line, column };
}
