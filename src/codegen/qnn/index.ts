/** QNN code generation: for the embedded reference backend, and for Qualcomm's own libraries. */

import { mergeCommon } from "../../ir/rewrite.ts";
import type { Backend } from "../backend.ts";
import type { Seams } from "../cut.ts";
import { toHalf } from "../half.ts";
import { hostCaches } from "../host-caches.ts";
import { legalize } from "../legalize.ts";
import { simplifications } from "../simplify.ts";
import type { SupportTable } from "../support.ts";
import { blockRules } from "./blocks.ts";
import { emitQnn } from "./emit.ts";
import { type Encodings, toFixed } from "./fixed.ts";
import { KnownRanges, type ReadWeight } from "./fixed-operands.ts";
import { fuseFixed } from "./fixed-ops.ts";
import { headInPieces } from "./head-pieces.ts";
import type { QnnLowering } from "./lowering.ts";
import { type NormUnits, normRules } from "./norm-rules.ts";
import { planQnn, type QnnPlan } from "./plan.ts";
import { qtiSupport } from "./qti.ts";
import { referenceSupport } from "./reference.ts";
import { fixedPointRules, htpRules, qtiRules } from "./rules.ts";
import { encodedSeams, leftInIntegers } from "./seams.ts";
import { showPlan } from "./show.ts";

const reference = "the reference backend";
const referenceRules = [...simplifications, ...blockRules];
/** The embedded backend: fused ops of package `heddle`, caches written in place. */
export const qnnReference: Backend<QnnPlan> = {
  name: reference,
  legalize: (g) => ({
    graph: legalize(g, { target: reference, support: referenceSupport, rules: referenceRules }),
    caches: [],
  }),
  plan: (g, weights) => planQnn(g, referenceSupport, weights),
  show: showPlan,
  emit: emitQnn,
};

const vendor = "QNN (qti.aisw)";
/** Qualcomm's CPU library divides by the root of the mean square plus epsilon, outside the root; HTP does it as it is defined. */
const cpuSupport = { ...qtiSupport, rmsNorm: "expand" } satisfies SupportTable<QnnLowering>;
const vendorRules = [...qtiRules, ...simplifications];
const fixedRules = [...fixedPointRules, ...vendorRules];
const halfRules = [...htpRules, ...vendorRules];
/** Qualcomm's CPU library, in f32: package `qti.aisw` alone, caches written by the caller. */
export const qnnVendor: Backend<QnnPlan> = {
  name: vendor,
  legalize: (g) => {
    const { graph, caches } = hostCaches(g);
    return { graph: legalize(graph, { target: vendor, support: cpuSupport, rules: vendorRules }), caches };
  },
  plan: (g, weights) => planQnn(g, cpuSupport, weights),
  show: showPlan,
  emit: emitQnn,
};

/** HTP: the same package in f16, the only float arithmetic that it has, with caches in f16; other inputs and outputs stay as they are. */
export const qnnVendorHalf: Backend<QnnPlan> = {
  ...qnnVendor,
  legalize: (g) => {
    const { graph, caches } = hostCaches(g);
    const half = toHalf(graph, caches);
    return { graph: legalize(half, { target: vendor, support: qtiSupport, rules: halfRules }), caches };
  },
  plan: (g, weights) => planQnn(g, qtiSupport, weights),
};

/** Where floats become integers in a graph that is in fixed point all through: the embedding and the masks, of layers with a window and without. */
const entrances = 3;

/** What is known of a program's values besides their encodings. */
export interface FixedDetails {
  readonly units?: NormUnits;
  readonly read?: ReadWeight;
  /** Where the graph is cut off from a larger program. */
  readonly seams?: Seams;
}

/** HTP for quantised programs: in fixed point wherever the range of a value is known, in f16 elsewhere. */
export const qnnVendorFixed = (
  encodings: Encodings,
  { units = new Map(), read, seams = {} }: FixedDetails = {},
): Backend<QnnPlan> => ({
  ...qnnVendorHalf,
  legalize: (g) => {
    const { graph, caches } = hostCaches(g);
    const half = mergeCommon(toHalf(graph, caches));
    const legal = legalize(half, {
      target: vendor,
      support: qtiSupport,
      rules: [...normRules({ units, encodings, ranges: new KnownRanges(read) }), ...fixedRules],
    });
    const fixed = { graph: mergeCommon(toFixed(mergeCommon(legal), encodedSeams(encodings, seams), read)), caches };
    return seams.to === undefined ? headInPieces(fixed) : leftInIntegers(fixed);
  },
  plan: (g, weights) => {
    const plan = planQnn(g, qtiSupport, weights, fuseFixed(g.graph));
    return { ...plan, fixedPoint: plan.nodes.filter((n) => n.type === "Quantize").length <= entrances };
  },
});

export { emitQnn, weightsFile } from "./emit.ts";
export { type Encodings, scoresOf } from "./fixed.ts";
export type { QnnPlan } from "./plan.ts";
export type { QnnGraph, QnnNode, QnnTensor } from "./types.ts";
export { checkQnnGraph } from "./validate.ts";
