/** GPT-2 as written: every op on its own, every token recomputed. What the other variants are measured against. */
import { program } from "../src/passes/index.ts";
import { gpt2 } from "./models/gpt2.ts";

export default program({ model: gpt2, passes: [] });
