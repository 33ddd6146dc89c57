/** Safetensors files: tensors by name, their values as f32 when asked for. The file stays open until `close`. */
import { HeddleError } from "../ir/error.ts";
import { openRanges, type RangeFile } from "./file.ts";
import { checkFinite } from "./finite.ts";
import { bf16ToF32, f16ToF32 } from "./half.ts";
import { readHeader, type TensorEntry } from "./safetensors-header.ts";

export interface SafeTensors {
  /** The file's name without its folder. */
  readonly file: string;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** Values as f32, row-major. @throws HeddleError for another dtype than F32, F16, BF16 and for NaN or infinity. */
  read(name: string): Float32Array;
  /** Rows `start .. start + count` along the first axis, otherwise as `read`. */
  readRows(name: string, start: number, count: number): Float32Array;
  close(): void;
}

/** @throws HeddleError where the header is not sound. */
export function openSafeTensors(path: string): SafeTensors {
  const file = openRanges(path);
  try {
    const tensors = new Map(readHeader(file).map((t) => [t.name, t]));
    return {
      file: file.name,
      tensors,
      read: (name) => readTensor(file, tensors.get(name)!),
      readRows: (name, start, count) => readTensor(file, rowsOf(tensors.get(name)!, start, count), start),
      close: file.close,
    };
  } catch (e) {
    file.close();
    throw e;
  }
}

const decoders: Readonly<Record<string, (b: ArrayBuffer) => Float32Array>> = {
  F32: (b) => new Float32Array(b),
  F16: (b) => f16ToF32(new Uint16Array(b)),
  BF16: (b) => bf16ToF32(new Uint16Array(b)),
};

/** Whether values of the dtype can be weights. */
export const isWeightDtype = (dtype: string): boolean => Object.hasOwn(decoders, dtype);

/** Rows of a tensor as one of their own. */
function rowsOf(t: TensorEntry, start: number, count: number): TensorEntry {
  const bytesPerRow = t.bytes / t.shape[0]!;
  const shape = [count, ...t.shape.slice(1)];
  return { ...t, shape, offset: t.offset + start * bytesPerRow, bytes: count * bytesPerRow };
}

function readTensor(file: RangeFile, t: TensorEntry, firstRow = 0): Float32Array {
  const subject = `${file.name}, tensor ${t.name}`;
  const decode = decoders[t.dtype];
  if (!decode) throw new HeddleError(`is ${t.dtype}; weights must be F32, F16 or BF16`, { subject });
  const values = decode(file.read(t.offset, t.bytes).buffer);
  checkFinite(values, t.shape, subject, firstRow);
  return values;
}
