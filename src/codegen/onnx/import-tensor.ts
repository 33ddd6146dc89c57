/** Initializers of a model that is being read. The file is not trusted: every length and offset is checked against what is there. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Data } from "../../ir/evaluate/tensor.ts";
import { bytesOf, type DType, type TensorType } from "../../ir/type.ts";
import { bf16ToF32, f16ToF32 } from "../../weights/half.ts";
import { type Int64, toNumber } from "./call.ts";
import { dtypeOf, int64, type onnx } from "./proto.ts";

export function shapeOf(dims: readonly Int64[]): number[] {
  const shape = dims.map(toNumber);
  if (shape.some((d) => d < 0)) throw new Error(`has the shape [${shape.join("x")}]`);
  if (!Number.isSafeInteger(shape.reduce((n, d) => n * d, 8))) throw new Error("is larger than any file");
  return shape;
}

/** Sizes or axes: an int64 tensor; undefined for any other. */
export function listOf(t: onnx.ITensorProto): number[] | undefined {
  if (t.dataType !== int64) return undefined;
  const count = shapeOf((t.dims ?? []) as Int64[]).reduce((n, d) => n * d, 1);
  const raw = t.rawData ?? new Uint8Array();
  if (raw.length !== count * 8) throw new Error(`has ${raw.length} bytes; ${count} numbers of int64 take ${count * 8}`);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: count }, (_, i) => {
    const n = Number(view.getBigInt64(i * 8, true));
    if (!Number.isSafeInteger(n)) throw new Error(`has the number ${n}, which is no size`);
    return n;
  });
}

/** @param folder where external data lies; undefined where there is none. */
export function tensorOf(t: onnx.ITensorProto, folder: string | undefined): { type: TensorType; read: () => Data } {
  const dtype = dtypeOf(t.dataType ?? 0);
  if (!dtype) throw new Error(`has the element type ${t.dataType}, which is not supported`);
  const type: TensorType = { dtype, shape: shapeOf((t.dims ?? []) as Int64[]) };
  const bytes = bytesOf(type);
  if (t.dataLocation === 1) {
    const at = external(t, folder, bytes);
    return { type, read: () => decode(readAt(at.path, at.offset, bytes), dtype) };
  }
  const raw = t.rawData ?? new Uint8Array();
  if (raw.length !== bytes) throw new Error(`has ${raw.length} bytes of raw data; its shape takes ${bytes}`);
  return { type, read: () => decode(new Uint8Array(raw), dtype) };
}

function external(t: onnx.ITensorProto, folder: string | undefined, bytes: number): { path: string; offset: number } {
  const fields = new Map((t.externalData ?? []).map((e) => [e.key ?? "", e.value ?? ""]));
  const location = fields.get("location") ?? "";
  if (folder === undefined) throw new Error(`has its data in another file, ${location}: read the model from its path`);
  if (
    location === "" ||
    location === ".." ||
    location === "." ||
    basename(location) !== location ||
    location.includes("\\")
  )
    throw new Error(`has its data in ${JSON.stringify(location)}, which is not a file beside the model`);
  const path = join(folder, location);
  const offset = Number(fields.get("offset") ?? 0);
  const length = Number(fields.get("length") ?? bytes);
  if (!Number.isSafeInteger(offset) || offset < 0 || length !== bytes)
    throw new Error(
      `has offset ${fields.get("offset")} and length ${fields.get("length")}; its shape takes ${bytes} bytes`,
    );
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new Error(`has its data in ${location}, which is missing`);
  if (offset + bytes > size) throw new Error(`ends at byte ${offset + bytes} of ${location}, which has ${size}`);
  return { path, offset };
}

function readAt(path: string, offset: number, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  const fd = openSync(path, "r");
  try {
    for (let done = 0; done < bytes; ) {
      const n = readSync(fd, out, done, Math.min(bytes - done, 1 << 30), offset + done);
      if (n === 0) throw new Error(`${basename(path)} ended while it was read`);
      done += n;
    }
  } finally {
    closeSync(fd);
  }
  return out;
}

/** Takes the bytes over. */
function decode(raw: Uint8Array, dtype: DType): Data {
  const { buffer } = raw;
  switch (dtype) {
    case "f32":
      return new Float32Array(buffer);
    case "f64":
      return new Float64Array(buffer);
    case "f16":
      return f16ToF32(new Uint16Array(buffer));
    case "bf16":
      return bf16ToF32(new Uint16Array(buffer));
    case "i32":
      return new Int32Array(buffer);
    case "i8":
      return Int32Array.from(new Int8Array(buffer));
    case "u16":
      return Int32Array.from(new Uint16Array(buffer));
    default:
      return Int32Array.from(raw);
  }
}
