/** The public face of the IR: what authors of graphs, passes and code generators import. */
export * from "./attr.ts";
export * from "./blocks.ts";
export { costOf, type GraphCost, nodeCosts } from "./cost.ts";
export * from "./error.ts";
export { type EvaluateOptions, type Evaluation, evaluate, evaluateNodes } from "./evaluate/evaluate.ts";
export { encodeBf16, encodeF16, roundTo } from "./evaluate/round.ts";
export * from "./evaluate/tensor.ts";
export { wrap } from "./evaluate/wrap.ts";
export * from "./graph.ts";
export { nearest } from "./nearest.ts";
export * from "./node.ts";
export {
  type AnyOp,
  allOps,
  type Cost,
  defineOp,
  findOp,
  type Named,
  type Op,
  type Operands,
  type OpSpec,
} from "./op.ts";
export * from "./ops/index.ts";
export { resolveAxis } from "./ops/support/axis.ts";
export * from "./origin.ts";
export { parse } from "./parse.ts";
export { type Captures, match, type OpPat, type Pat, v } from "./pattern.ts";
export * from "./print.ts";
export * from "./program.ts";
export * from "./rewrite.ts";
export * from "./type.ts";
export { problems, verify } from "./verify.ts";
