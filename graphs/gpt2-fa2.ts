/** GPT-2 with attention in tiles: memory grows with the sequence, not with its square. */
import { flashAttention, program } from "../src/passes/index.ts";
import { gpt2 } from "./models/gpt2.ts";

export default program({ model: gpt2, passes: [flashAttention] });
