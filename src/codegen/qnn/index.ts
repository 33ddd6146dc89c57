/** QNN code generation: for the embedded reference backend, and for Qualcomm's own libraries. */
import type { Backend } from "../backend.ts";
import { toHalf } from "../half.ts";
import { hostCaches } from "../host-caches.ts";
import { legalize } from "../legalize.ts";
import { simplifications } from "../simplify.ts";
import { blockRules } from "./blocks.ts";
import { emitQnn } from "./emit.ts";
import { planQnn, type QnnPlan } from "./plan.ts";
import { qtiSupport } from "./qti.ts";
import { referenceSupport } from "./reference.ts";
import { htpRules, qtiRules } from "./rules.ts";
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
const vendorRules = [...qtiRules, ...simplifications];
const halfRules = [...htpRules, ...vendorRules];
/** Qualcomm's libraries (HTP, CPU): package `qti.aisw` alone, caches written by the caller. */
export const qnnVendor: Backend<QnnPlan> = {
  name: vendor,
  legalize: (g) => {
    const { graph, caches } = hostCaches(g);
    return { graph: legalize(graph, { target: vendor, support: qtiSupport, rules: vendorRules }), caches };
  },
  plan: (g, weights) => planQnn(g, qtiSupport, weights),
  show: showPlan,
  emit: emitQnn,
};

/** The same in f16, the only float arithmetic that HTP has, with caches in f16; other inputs and outputs stay as they are. */
export const qnnVendorHalf: Backend<QnnPlan> = {
  ...qnnVendor,
  legalize: (g) => {
    const { graph, caches } = hostCaches(g);
    const half = toHalf(graph, caches);
    return { graph: legalize(half, { target: vendor, support: qtiSupport, rules: halfRules }), caches };
  },
};

export { emitQnn, weightsFile } from "./emit.ts";
export type { QnnPlan } from "./plan.ts";
export type { QnnGraph, QnnNode, QnnTensor } from "./types.ts";
export { checkQnnGraph } from "./validate.ts";
