/** Parameters of QNN nodes before they are placed: scalars by value, tensors by content. */
import type { QnnScalar } from "./types.ts";

export type Param =
  | { readonly name: string; readonly scalar: QnnScalar }
  | {
      readonly name: string;
      readonly dataType: "UINT_32" | "INT_32";
      readonly dims: readonly number[];
      readonly values: readonly number[];
    };

export const f32 = (name: string, value: number): Param => ({ name, scalar: { dataType: "FLOAT_32", value } });
export const i32 = (name: string, value: number): Param => ({ name, scalar: { dataType: "INT_32", value } });
export const u32 = (name: string, value: number): Param => ({ name, scalar: { dataType: "UINT_32", value } });
export const bool = (name: string, value: boolean): Param => ({ name, scalar: { dataType: "BOOL_8", value } });
export const u32s = (name: string, values: readonly number[]): Param => ({
  name,
  dataType: "UINT_32",
  dims: [values.length],
  values,
});
/** A matrix, row by row. */
export const i32Rows = (name: string, rows: readonly (readonly number[])[]): Param => ({
  name,
  dataType: "INT_32",
  dims: [rows.length, rows[0]!.length],
  values: rows.flat(),
});
