/** GPT-2 with all of it: fewer, larger ops, attention in tiles, and a cache of keys and values. */
import {
  flashAttention,
  foldNorm,
  fuseMlp,
  fuseResidual,
  kvCache,
  mergeQkv,
  program,
  simplify,
} from "../src/passes/index.ts";
import { gpt2 } from "./models/gpt2.ts";

export default program({
  model: gpt2,
  passes: [mergeQkv, simplify, foldNorm, fuseMlp, fuseResidual, flashAttention, kvCache],
});
