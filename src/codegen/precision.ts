/** In what a program's weights are stored. `native` keeps those that the checkpoint stores in blocks (GGUF) as they are; others are f32. */
export const precisions = ["f32", "f16", "native"] as const;
export type Precision = (typeof precisions)[number];
