/** In what keys and values are kept between runs, and with which ranges. */
import { HeddleError } from "../../ir/error.ts";
import type { Graph } from "../../ir/graph.ts";
import type { Node } from "../../ir/node.ts";
import { nodeNames } from "../../ir/print.ts";
import type { Module } from "../../ir/program.ts";
import { cachedHeads } from "../../passes/balance-caches.ts";
import { rangeOf } from "../../passes/quantize.ts";
import type { KeptAs } from "../../passes/quantize-caches.ts";
import type { Range } from "../../passes/support/encoding.ts";
import { loadTarget } from "../../targets/target.ts";
import type { CacheBalance } from "./calibration/caches.ts";
import type { QuantizeRequest } from "./quantize-request.ts";

/** Integers that keys and values are kept in. */
export interface CacheTypes {
  readonly keys: KeptAs["dtype"];
  readonly values: KeptAs["dtype"];
}

const typesOf: Readonly<Record<NonNullable<QuantizeRequest["kv"]>, CacheTypes | undefined>> = {
  i8: { keys: "i8", values: "i8" },
  k8v16: { keys: "i8", values: "u16" },
  float: undefined,
};

/**
 * What was asked for, or else what the target is best at; undefined for floats.
 * @throws HeddleError for a program without caches, or a target whose kernels read floats alone
 */
export function cacheTypesOf(
  kv: QuantizeRequest["kv"],
  {
    program,
    graph,
    target = "reference",
  }: { readonly program: string; readonly graph: Graph; readonly target?: string },
): CacheTypes | undefined {
  const types = typesOf[kv ?? (target === "x-elite" && graph.state.length > 0 ? onNpu(graph) : "float")];
  if (types && graph.state.length === 0)
    throw new HeddleError("has no caches to quantise", {
      subject: `program ${program}`,
      hint: "leave --kv out, or compile a program with the pass kv-cache",
    });
  if (types && loadTarget(target).aie !== undefined)
    throw new HeddleError("keeps keys and values in floats: its kernels for attention read no others", {
      subject: `target ${target}`,
      hint: "leave --kv out",
    });
  return types;
}

/**
 * The NPU multiplies by integers as they are; floats it would have to convert first. Where heads share keys and values there is little to
 * read, and the rounding of one value is in the results of all of them: values are worth 16 bits there.
 */
const onNpu = (g: Graph): NonNullable<QuantizeRequest["kv"]> => (sharesHeads(g) ? "k8v16" : "i8");

/** Whether several heads of queries read the same keys and values. */
export const sharesHeads = (g: Graph): boolean =>
  cachedHeads(g).some(({ attention, values }) => attention.type.shape[0] !== values.type.shape[0]);

/** Type and range of each cache, in the order of the graph's state. @throws HeddleError where calibration did not see one. */
export function keptAs(
  { graph }: Module,
  types: CacheTypes,
  ranges: Readonly<Record<string, Range>>,
  balanced: CacheBalance["ranges"],
): KeptAs[] {
  const names = nodeNames(graph);
  const found = new Map<Node, { readonly dtype: KeptAs["dtype"]; readonly range: Range | undefined }>();
  for (const { attention, keys, values } of cachedHeads(graph)) {
    const divided = balanced.get(names.get(attention)!);
    found.set(keys, { dtype: types.keys, range: divided?.keys });
    found.set(values, { dtype: types.values, range: divided?.values });
  }
  return graph.state.map(({ next }) => {
    const { dtype = types.keys, range } = found.get(next) ?? {};
    return { dtype, range: range ?? rangeOf(next.inputs[1]!, names, ranges) };
  });
}
