/** GPT-2 with attention in tiles and fewer, larger ops. */
import { flashAttention, foldNorm, fuseMlp, fuseResidual, mergeQkv, program, simplify } from "../src/passes/index.ts";
import { gpt2 } from "./models/gpt2.ts";

export default program({ model: gpt2, passes: [mergeQkv, simplify, foldNorm, fuseMlp, fuseResidual, flashAttention] });
