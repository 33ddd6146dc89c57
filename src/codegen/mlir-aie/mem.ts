/** Buffers of a core as MLIR types them. */

export type Element = "bf16" | "f32" | "i8" | "i32";
export const bytesOf = { bf16: 2, f32: 4, i8: 1, i32: 4 } as const satisfies Record<Element, number>;

/** The type of a buffer. */
export interface Mem {
  readonly shape: readonly number[];
  readonly of: Element;
}
export const mem = (of: Element, ...shape: readonly number[]): Mem => ({ shape, of });
export const sizeOf = (m: Mem): number => m.shape.reduce((a, b) => a * b, 1);
export const byteSize = (m: Mem): number => sizeOf(m) * bytesOf[m.of];
export const showMem = (m: Mem): string => `memref<${[...m.shape, m.of].join("x")}>`;
