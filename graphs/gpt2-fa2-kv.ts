/** GPT-2 with attention in tiles over a cache of keys and values: one token at a time costs one token. */
import { flashAttention, kvCache, program } from "../src/passes/index.ts";
import { gpt2 } from "./models/gpt2.ts";

export default program({ model: gpt2, passes: [flashAttention, kvCache] });
