/** The programs that every end-to-end test runs, from the model untouched to all passes. */
export const programs = [
  "gpt2-baseline",
  "gpt2-fused",
  "gpt2-fa2",
  "gpt2-fa2-fused",
  "gpt2-fa2-kv",
  "gpt2-fa2-kv-fused",
] as const;
export type ProgramName = (typeof programs)[number];
