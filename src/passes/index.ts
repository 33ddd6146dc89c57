/** The public face of the passes: what graph files, the command line and authors of passes import. */

export { balanceCaches } from "./balance-caches.ts";
export { balanceResidual } from "./balance-residual.ts";
export { f16Weights } from "./f16-weights.ts";
export { blockSize, flashAttentionPass as flashAttention, workingSet } from "./flash-attention.ts";
export { foldNorm } from "./fold-norm.ts";
export { fuseMlp } from "./fuse-mlp.ts";
export { fuseResidual } from "./fuse-residual.ts";
export { keepBlocks, type StoredBlocks } from "./keep-blocks.ts";
export { kvCache } from "./kv-cache.ts";
export { mergeQkv } from "./merge-qkv.ts";
export { ownNames } from "./own-names.ts";
export { type Pass, type PassContext, type ProofSpec, pass, rules } from "./pass.ts";
export { isProgram, type Program, program } from "./program.ts";
export type { Difference, Proof, ProofOptions } from "./prove.ts";
export { type QuantizeOptions, quantizePass, type WeightBits } from "./quantize.ts";
export { quantizeCaches } from "./quantize-caches.ts";
export { type PassRecord, type PassRun, type RunOptions, runPasses } from "./run.ts";
export { residualStream, scaleResidual } from "./scale-residual.ts";
export { simplify } from "./simplify.ts";
export { splitLinears } from "./split-linears.ts";
