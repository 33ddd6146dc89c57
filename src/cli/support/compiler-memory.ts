/** Whether this machine has the memory that Qualcomm's compiler takes, from sizes alone: before weights are read and calibration runs. */
import { freemem } from "node:os";
import { cut, type Measure, mostParts, type Part, partsWithin } from "../../codegen/cut.ts";
import type { Precision } from "../../codegen/precision.ts";
import { findStatic } from "../../codegen/statics.ts";
import { compilerMemory } from "../../htp/index.ts";
import { topo } from "../../ir/graph.ts";
import type { Module } from "../../ir/program.ts";
import { elements } from "../../ir/type.ts";
import { bytes } from "./format.ts";
import { isQuantized } from "./quantize-request.ts";

/** More parts than this are not proposed. */
const enough = 16;

const bitsOf = (precision: Precision): number => (precision.startsWith("w4") ? 4 : isQuantized(precision) ? 8 : 16);
const inBits =
  (bits: number): Measure =>
  ({ shape }) =>
    (elements(shape) * bits) / 8;

export interface MemoryQuestion {
  /** After its passes, in floats or already in f16. */
  readonly module: Module;
  readonly precision: Precision;
  /** Into which it is cut, to be compiled one after the other; undefined for as many as `limit` asks for. */
  readonly parts: number | undefined;
  /** Bytes of weights that a context holds. */
  readonly limit: number;
  /** Bytes that are free; default those of this machine. */
  readonly free?: number;
}

/** What is to be said before a compilation that free memory will hardly hold, with what would help; undefined where it should hold it. */
export function memoryNote({
  module,
  precision,
  limit,
  free = freemem(),
  ...given
}: MemoryQuestion): string | undefined {
  const parts = given.parts ?? partsWithin(module, limit, inBits(bitsOf(precision)));
  const need = needOf(module, parts, precision);
  if (need <= free) return undefined;
  const proposal =
    proposalFor(module, parts, precision, free) ?? "fewer sizes of caches at once take less, such as --contexts 256";
  return `Qualcomm's compiler takes about ${bytes(need)} of memory for this, and ${bytes(free)} are free: ${proposal}`;
}

/** The fewest parts that fit, or else those that take least; undefined where parts do not help. */
function proposalFor(module: Module, parts: number, precision: Precision, free: number): string | undefined {
  let best = { count: parts, need: needOf(module, parts, precision) };
  for (let count = parts + 1; count <= Math.min(enough, mostParts(module)) && best.need > free; count++) {
    const need = needOf(module, count, precision);
    if (need < best.need) best = { count, need };
  }
  return best.count > parts ? `--parts ${best.count} takes about ${bytes(best.need)}` : undefined;
}

/** Parts are compiled one after the other, each with all its entry points in one context. */
const needOf = (module: Module, count: number, precision: Precision): number => {
  const largest = Math.max(
    ...cut(module, count, inBits(isQuantized(precision) ? 8 : 16)).map((p) => storedBytes(p, precision)),
  );
  return compilerMemory(largest, module.entries.length);
};

/** Bytes of a part's weights as they are stored: tables that rows are picked from in 16 bits, matrices of quantised programs in 8, whatever their bits. */
function storedBytes({ module: { graph } }: Part, precision: Precision): number {
  const known = findStatic(graph);
  const stored = new Map<string, number>();
  const ids = new Map([...known].map((n, i) => [n, i]));
  for (const n of topo(graph)) {
    if (known.has(n)) continue;
    for (const x of n.inputs) {
      if (!known.has(x) || x.type.shape.some((d) => typeof d !== "number")) continue;
      const width = isQuantized(precision) && n.op.name !== "gather" ? 1 : 2;
      stored.set(`${ids.get(x)}:${width}`, elements(x.type.shape) * width);
    }
  }
  return [...stored.values()].reduce((a, b) => a + b, 0);
}
