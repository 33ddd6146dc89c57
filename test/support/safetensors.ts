/** Writes safetensors files for tests, sound ones and, through `header`, any other. */
import { writeFileSync } from "node:fs";

export interface Written {
  readonly dtype: "F32" | "F16" | "BF16" | "I64";
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint16Array | BigInt64Array;
}

export interface Overrides {
  /** Replaces the header's text. */
  readonly header?: string;
  /** Replaces the declared length of the header. */
  readonly declared?: bigint;
  /** Bytes cut off (negative) or appended at the end. */
  readonly extra?: number;
}

export function headerOf(tensors: Readonly<Record<string, Written>>): Record<string, unknown> {
  let end = 0;
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
      const from = end;
      end += data.byteLength;
      return [name, { dtype, shape, data_offsets: [from, end] }];
    }),
  );
}

export function writeSafeTensors(
  path: string,
  tensors: Readonly<Record<string, Written>>,
  over: Overrides = {},
): string {
  const header = Buffer.from(over.header ?? JSON.stringify(headerOf(tensors)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(over.declared ?? BigInt(header.length));
  const data = Object.values(tensors).map((t) => Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength));
  const whole = Buffer.concat([length, header, ...data, Buffer.alloc(Math.max(0, over.extra ?? 0))]);
  writeFileSync(path, whole.subarray(0, whole.length + Math.min(0, over.extra ?? 0)));
  return path;
}

export const f32 = (shape: readonly number[], ...values: number[]): Written => ({
  dtype: "F32",
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => values[i % values.length]!),
});
