/**
 * In what a program's weights are stored, and its products computed. `native` keeps weights that the checkpoint stores in blocks
 * (GGUF) as they are; others are f32. `w8a16` and
 * others of its form compute products of integers: weights of 8 or 4 bits, activations of 16 or 8.
 */
export const precisions = ["f32", "f16", "native", "w8a16", "w4a16", "w8a8", "w4a8"] as const;
export type Precision = (typeof precisions)[number];
/** Those whose products are of integers. */
export type QuantizedPrecision = Extract<Precision, `w${string}`>;
