/** Writes GGUF files for tests, sound ones and, through overrides, any other. */
import { writeFileSync } from "node:fs";

type Scalar = readonly [
  type: "u8" | "u32" | "i32" | "u64" | "f32" | "bool" | "string",
  value: number | bigint | string | boolean,
];
type List = readonly [type: "strings" | "floats" | "ints", values: readonly (string | number)[]];
export type MetadataEntry = Scalar | List;

export interface GgufTensorSpec {
  readonly name: string;
  /** Row-major. */
  readonly shape: readonly number[];
  /** Number of the type: 0 is F32, 8 is Q8_0. */
  readonly type: number;
  readonly data: Uint8Array;
  /** Instead of where the data lies. */
  readonly offset?: bigint;
}

export interface GgufOverrides {
  readonly magic?: string;
  readonly version?: number;
  readonly tensorCount?: bigint;
  readonly keyCount?: bigint;
  /** Bytes cut off (negative) or appended at the end. */
  readonly extra?: number;
}

const numbers = { u8: 0, u32: 4, i32: 5, f32: 6, bool: 7, string: 8, u64: 10, strings: 9, floats: 9, ints: 9 } as const;

function u32(n: number): Buffer {
  const b = Buffer.alloc(4);
  b.writeUInt32LE(n);
  return b;
}
function u64(n: number | bigint): Buffer {
  const b = Buffer.alloc(8);
  b.writeBigUInt64LE(BigInt(n));
  return b;
}
function f32(n: number): Buffer {
  const b = Buffer.alloc(4);
  b.writeFloatLE(n);
  return b;
}
const text = (s: string): Buffer => Buffer.concat([u64(Buffer.byteLength(s)), Buffer.from(s)]);

function value([type, v]: MetadataEntry): Buffer {
  switch (type) {
    case "u8":
    case "bool":
      return Buffer.from([Number(v)]);
    case "u32":
    case "i32":
      return u32(Number(v) >>> 0);
    case "u64":
      return u64(v as bigint);
    case "f32":
      return f32(Number(v));
    case "string":
      return text(String(v));
    case "strings":
      return Buffer.concat([u32(8), u64(v.length), ...v.map((s) => text(String(s)))]);
    case "floats":
      return Buffer.concat([u32(6), u64(v.length), ...v.map((x) => f32(Number(x)))]);
    case "ints":
      return Buffer.concat([u32(5), u64(v.length), ...v.map((x) => u32(Number(x) >>> 0))]);
  }
}

const padded = (b: Buffer, to = 32): Buffer => Buffer.concat([b, Buffer.alloc((to - (b.length % to)) % to)]);

/** The bytes of a file. */
export function ggufBytes(
  metadata: readonly (readonly [key: string, ...entry: MetadataEntry])[],
  tensors: readonly GgufTensorSpec[],
  over: GgufOverrides = {},
): Buffer {
  let end = 0n;
  const infos = tensors.map(({ name, shape, type, data, offset }) => {
    const at = end;
    end += BigInt(Math.ceil(data.length / 32) * 32);
    const dims = [...shape].reverse().map((d) => u64(d));
    return Buffer.concat([text(name), u32(shape.length), ...dims, u32(type), u64(offset ?? at)]);
  });
  const header = Buffer.concat([
    Buffer.from(over.magic ?? "GGUF"),
    u32(over.version ?? 3),
    u64(over.tensorCount ?? tensors.length),
    u64(over.keyCount ?? metadata.length),
    ...metadata.map(([key, type, v]) =>
      Buffer.concat([text(key), u32(numbers[type]), value([type, v] as MetadataEntry)]),
    ),
    ...infos,
  ]);
  const file = Buffer.concat([padded(header), ...tensors.map((t) => padded(Buffer.from(t.data)))]);
  const extra = over.extra ?? 0;
  return extra < 0 ? file.subarray(0, file.length + extra) : Buffer.concat([file, Buffer.alloc(extra)]);
}

export function writeGguf(path: string, ...args: Parameters<typeof ggufBytes>): string {
  writeFileSync(path, ggufBytes(...args));
  return path;
}

export const f32Data = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
