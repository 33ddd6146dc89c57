/** The six GPT-2 programs beside this folder, from the model untouched to all passes. Tests and benchmarks run them all. */
export const gpt2Programs = [
  "gpt2-baseline",
  "gpt2-fused",
  "gpt2-fa2",
  "gpt2-fa2-fused",
  "gpt2-fa2-kv",
  "gpt2-fa2-kv-fused",
] as const;
export type GPT2Program = (typeof gpt2Programs)[number];
