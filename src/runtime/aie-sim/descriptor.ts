/** Descriptors of DMA engines: from dimensions in elements to an address pattern in 32-bit words, within the engine's limits. */
import type { Loc } from "../../ir/error.ts";
import type { TileLimits } from "../../targets/aie-machine.ts";
import { failAt } from "./design.ts";
import { count } from "./mlir/type.ts";
import { bounds, type Dim, makePattern, type Pattern } from "./pattern.ts";

export interface Transfer {
  /** What errors call it: `objectFIFO @a, MM2S of tile (0, 1)`. */
  readonly subject: string;
  readonly loc: Loc;
  readonly limits: TileLimits;
  /** In elements. */
  readonly offset: number;
  readonly length: number;
  /** In elements, outermost first. */
  readonly dims: readonly Dim[];
  readonly elementBits: number;
  /** Of the buffer, in elements. */
  readonly size: number;
  /** One of several parts of an element, as at a join. */
  readonly part?: boolean;
}

/** @throws HeddleError for what the engine has no register or no bits for. */
export function descriptor(t: Transfer): Pattern {
  const { limits, elementBits } = t;
  const fail = (reason: string, hint?: string) => failAt(t.loc, t.subject, reason, hint);
  const inWords = (elements: number): number => (elements * elementBits) / 32;
  const bytes = (elements: number): number => (elements * elementBits) / 8;
  const length = inWords(t.length);
  if (!Number.isInteger(length) || length <= 0)
    fail(`transfers ${bytes(t.length)} bytes; DMAs move whole 32-bit words`, "pad the innermost dimension");
  if (!Number.isInteger(inWords(t.offset))) fail(`begins at byte ${bytes(t.offset)}; DMAs move whole 32-bit words`);
  if (length >= 2 ** limits.lengthBits)
    fail(`transfers ${length} words; the length has ${limits.lengthBits} bits`, "use smaller elements");
  const dims = wordDims(t);
  if (dims.length > limits.bdDims) fail(`has ${dims.length} dimensions; the engine has ${limits.bdDims}`);
  const covered = count(dims.map((d) => d.size));
  if (dims.length && covered !== length)
    fail(
      `its dimensions cover ${covered} words; the transfer has ${length}`,
      t.part ? "each part of a link has a descriptor of its own, and these dimensions walk one part" : undefined,
    );
  checkBits(dims, limits, fail);
  const pattern = makePattern(dims, inWords(t.offset), length);
  const { first, last } = bounds(pattern);
  if (first < 0 || last >= inWords(t.size)) fail(`touches words ${first} to ${last} of a buffer of ${inWords(t.size)}`);
  return pattern;
}

/** Dimensions in words. @throws HeddleError where elements below 32 bits do not come in whole words. */
export function wordDims({
  dims,
  elementBits,
  subject,
  loc,
}: Pick<Transfer, "dims" | "elementBits" | "subject" | "loc">): Dim[] {
  const fail = (reason: string) => failAt(loc, subject, reason);
  for (const d of dims)
    if (d.size < 1 || d.stride < 0) fail(`has a dimension of size ${d.size} and stride ${d.stride}`);
  if (elementBits === 32) return [...dims];
  return dims.map((d, i) => {
    const innermost = i === dims.length - 1;
    if (innermost && d.stride !== 1)
      fail(`its innermost stride is ${d.stride}; elements of ${elementBits} bits must be neighbours there`);
    const inner = (d.size * elementBits) / 32;
    const stride = (d.stride * elementBits) / 32;
    if (innermost) {
      if (!Number.isInteger(inner))
        fail(`its innermost dimension has ${(d.size * elementBits) / 8} bytes; DMAs move whole 32-bit words`);
      return { size: inner, stride: 1 };
    }
    if (!Number.isInteger(stride) && d.size > 1)
      fail(
        `a stride of ${d.stride} elements is ${(d.stride * elementBits) / 8} bytes; DMAs step in whole 32-bit words`,
      );
    return { size: d.size, stride };
  });
}

function checkBits(dims: readonly Dim[], limits: TileLimits, fail: (reason: string, hint?: string) => never): void {
  const wrapMax = 2 ** limits.wrapBits - 1;
  const stepMax = 2 ** limits.stepBits;
  for (const [i, d] of dims.entries()) {
    // The outermost dimension goes on until the length is reached: it has no wrap register.
    if (i > 0 && d.size > wrapMax)
      fail(
        `dimension ${i} of ${dims.length} wraps after ${d.size} words or steps; the wrap has ${limits.wrapBits} bits (at most ${wrapMax})`,
        "split it into two dimensions",
      );
    if (d.size > 1 && d.stride > stepMax)
      fail(
        `dimension ${i} of ${dims.length} has a stride of ${d.stride} words; the step has ${limits.stepBits} bits (at most ${stepMax})`,
      );
    if (d.size > 1 && d.stride === 0)
      fail(`dimension ${i} of ${dims.length} has a stride of 0`, "send the element again through a repeat count");
  }
}
