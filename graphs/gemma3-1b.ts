/** Gemma 3 1B with all of it: fewer, larger ops, attention in tiles, and a cache of keys and values. */
import { flashAttention, fuseMlp, kvCache, mergeQkv, program, simplify } from "../src/passes/index.ts";
import { gemma3 } from "./models/gemma3.ts";

export default program({
  model: gemma3("1b"),
  passes: [mergeQkv, simplify, fuseMlp, flashAttention, kvCache],
});
