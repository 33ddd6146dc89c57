/** Element types of GGUF tensors by their number (https://github.com/ggml-org/ggml, enum ggml_type and its block structs). */
import type { DType } from "../../ir/type.ts";

export interface GgmlType {
  readonly name: string;
  /** Elements and bytes of one block. */
  readonly elements: number;
  readonly bytes: number;
  /** The IR's name of it; undefined where its values cannot be read. */
  readonly dtype?: DType;
}

const row = (name: string, elements: number, bytes: number, dtype?: DType): GgmlType => ({
  ...{ name, elements, bytes },
  ...(dtype && { dtype }),
});

/** The layout is known of all, so that offsets can be checked; the values of those that have a dtype. */
export const ggmlTypes: ReadonlyMap<number, GgmlType> = new Map([
  [0, row("F32", 1, 4, "f32")],
  [1, row("F16", 1, 2, "f16")],
  [2, row("Q4_0", 32, 18, "q4_0")],
  [3, row("Q4_1", 32, 20)],
  [6, row("Q5_0", 32, 22, "q5_0")],
  [7, row("Q5_1", 32, 24)],
  [8, row("Q8_0", 32, 34, "q8_0")],
  [9, row("Q8_1", 32, 36)],
  [10, row("Q2_K", 256, 84)],
  [11, row("Q3_K", 256, 110)],
  [12, row("Q4_K", 256, 144, "q4_k")],
  [13, row("Q5_K", 256, 176, "q5_k")],
  [14, row("Q6_K", 256, 210, "q6_k")],
  [15, row("Q8_K", 256, 292)],
  [16, row("IQ2_XXS", 256, 66)],
  [17, row("IQ2_XS", 256, 74)],
  [18, row("IQ3_XXS", 256, 98)],
  [19, row("IQ1_S", 256, 50)],
  [20, row("IQ4_NL", 32, 18)],
  [21, row("IQ3_S", 256, 110)],
  [22, row("IQ2_S", 256, 82)],
  [23, row("IQ4_XS", 256, 136)],
  [24, row("I8", 1, 1)],
  [25, row("I16", 1, 2)],
  [26, row("I32", 1, 4)],
  [27, row("I64", 1, 8)],
  [28, row("F64", 1, 8)],
  [29, row("IQ1_M", 256, 56)],
  [30, row("BF16", 1, 2, "bf16")],
  [34, row("TQ1_0", 256, 54)],
  [35, row("TQ2_0", 256, 66)],
  [39, row("MXFP4", 32, 17)],
]);

export const readableTypes = [...ggmlTypes.values()].filter((t) => t.dtype).map((t) => t.name);
