/**
 * In what a program's weights are stored, and its products computed. `native` keeps weights that the checkpoint stores in blocks
 * (GGUF) as they are; others are f32. `w8a16` and `w4a16` compute products of integer weights of 8 or 4 bits and activations of 16.
 */
export const precisions = ["f32", "f16", "native", "w8a16", "w4a16"] as const;
export type Precision = (typeof precisions)[number];
