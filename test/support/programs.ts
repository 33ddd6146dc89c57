/** The programs that every end-to-end test runs. */
export { type GPT2Program as ProgramName, gpt2Programs as programs } from "../../graphs/models/variants.ts";
