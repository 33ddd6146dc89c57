/** QNN code generation: for the embedded reference backend, and for Qualcomm's own libraries. */
import type { Backend } from "../backend.ts";
import { legalize } from "../legalize.ts";
import { simplifications } from "../simplify.ts";
import type { SupportTable } from "../support.ts";
import { emitQnn } from "./emit.ts";
import type { QnnLowering } from "./lowering.ts";
import { planQnn, type QnnPlan } from "./plan.ts";
import { qtiSupport } from "./qti.ts";
import { referenceSupport } from "./reference.ts";
import { qtiRules } from "./rules.ts";
import { showPlan } from "./show.ts";

const qnn = (name: string, support: SupportTable<QnnLowering>, rules = simplifications): Backend<QnnPlan> => ({
  name,
  legalize: (g) => legalize(g, { target: name, support, rules }),
  plan: (g, weights) => planQnn(g, support, weights),
  show: showPlan,
  emit: emitQnn,
});

/** The embedded backend: fused ops of package `heddle`, caches written in place. */
export const qnnReference = qnn("the reference backend", referenceSupport);

/** Qualcomm's libraries (HTP, CPU): package `qti.aisw` alone. */
export const qnnVendor = qnn("QNN (qti.aisw)", qtiSupport, [...qtiRules, ...simplifications]);

export { emitQnn, weightsFile } from "./emit.ts";
export type { QnnPlan } from "./plan.ts";
export type { QnnGraph, QnnNode, QnnTensor } from "./types.ts";
export { checkQnnGraph } from "./validate.ts";
