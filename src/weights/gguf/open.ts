/** A GGUF file as a source of weights: tensors under Hugging Face's names, in its conventions. The file stays open until `close`. */
import { isBlock } from "../../ir/blocks.ts";
import { HeddleError } from "../../ir/error.ts";
import type { BlockType, DType } from "../../ir/type.ts";
import { openRanges, type RangeFile } from "../file.ts";
import { checkFinite } from "../finite.ts";
import { bf16ToF32, f16ToF32 } from "../half.ts";
import type { BlockSource, WeightSource, WeightSpec } from "../source.ts";
import { checkStored, type StoredTensor, storedTensor } from "../stored.ts";
import { configOf } from "./config.ts";
import { dequantize, firstBadBlock } from "./dequantize.ts";
import { type GgufHeader, type GgufTensor, readGgufHeader } from "./header.ts";
import { hfName, isShiftedNorm } from "./names.ts";
import { readableTypes } from "./types.ts";

export interface GgufFile {
  readonly weights: WeightSource;
  readonly header: GgufHeader;
  /** As config.json says it. */
  readonly config: Readonly<Record<string, unknown>>;
}

interface Entry extends StoredTensor {
  readonly tensor: GgufTensor;
}

/** Bytes read at once; values are made piece by piece, so that file and floats are not in memory together. */
const pieceBytes = 1 << 24;

/** @param name what the manifest calls the source. @throws HeddleError where the file is not sound, or not of a known model. */
export function openGguf(path: string, name: string, fingerprint: string): GgufFile {
  const file = openRanges(path);
  try {
    const header = readGgufHeader(file);
    refuseSplit(header, file.name);
    const config = configOf(header, file.name);
    return { header, config, weights: sourceOf(file, header, name, fingerprint) };
  } catch (e) {
    file.close();
    throw e;
  }
}

function refuseSplit({ metadata }: GgufHeader, file: string): void {
  const parts = metadata.get("split.count");
  if (typeof parts === "number" && parts > 1)
    throw new HeddleError(`is one of ${parts} files that hold the model together`, {
      subject: file,
      hint: "join them first: llama-gguf-split --merge <first file> <joined file>",
    });
}

function sourceOf(file: RangeFile, { tensors }: GgufHeader, name: string, fingerprint: string): WeightSource {
  const stored = new Map<string, Entry>(
    tensors.map((tensor) => {
      const { type, shape } = tensor;
      const unreadable = type.dtype ? undefined : `${type.name}; weights are read in ${readableTypes.join(", ")}`;
      return [hfName(tensor.name), { name: tensor.name, shape, unreadable, tensor }];
    }),
  );
  const find = (wanted: WeightSpec) => storedTensor(file.name, stored, wanted).tensor;
  return {
    name,
    fingerprint,
    // Angles that a converter worked out; the model computes its own.
    check: (wanted) => checkStored(file.name, stored, wanted, { ignored: (n) => n === "rope_freqs.weight" }),
    read: (weight, shape) => inConvention(weight, readFloats(file, find({ name: weight, shape }))),
    readRows: (weight, start, count) =>
      inConvention(weight.name, readFloats(file, rowsOf(find(weight), start, count), start)),
    blocks: blocksOf(file, stored, find),
    close: file.close,
  };
}

function blocksOf(
  file: RangeFile,
  stored: ReadonlyMap<string, Entry>,
  find: (wanted: WeightSpec) => GgufTensor,
): BlockSource {
  const typeOf = (name: string): BlockType | "f16" | undefined => {
    const dtype = stored.get(name)?.tensor.type.dtype;
    return dtype && (isBlock(dtype) || dtype === "f16") ? dtype : undefined;
  };
  return {
    typeOf,
    read: (weight, start, count) => {
      const t = rowsOf(find(weight), start, count);
      const bytes = file.read(t.offset, t.bytes);
      checkBlocks(bytes, t, file.name);
      return bytes;
    },
  };
}

function checkBlocks(bytes: Uint8Array, t: GgufTensor, file: string): void {
  const { dtype } = t.type;
  const bad = dtype && isBlock(dtype) ? firstBadBlock(bytes, dtype) : -1;
  if (bad < 0) return;
  throw new HeddleError(`has a block whose scale is not a finite number (block ${bad} of those read)`, {
    subject: `${file}, tensor ${t.name}`,
    hint: "use another checkpoint: this one is broken",
  });
}

const plain: Readonly<Partial<Record<DType, (bytes: ArrayBuffer) => Float32Array>>> = {
  f32: (b) => new Float32Array(b),
  f16: (b) => f16ToF32(new Uint16Array(b)),
  bf16: (b) => bf16ToF32(new Uint16Array(b)),
};

function inConvention(name: string, values: Float32Array): Float32Array {
  if (isShiftedNorm(name)) for (let i = 0; i < values.length; i++) values[i]! -= 1;
  return values;
}

/** Rows of a matrix as a tensor of their own. */
function rowsOf(t: GgufTensor, start: number, count: number): GgufTensor {
  const bytesPerRow = t.bytes / t.shape[0]!;
  const shape = [count, ...t.shape.slice(1)];
  return { ...t, shape, offset: t.offset + start * bytesPerRow, bytes: count * bytesPerRow };
}

function readFloats(file: RangeFile, t: GgufTensor, firstRow = 0): Float32Array {
  const values = new Float32Array((t.bytes / t.type.bytes) * t.type.elements);
  const dtype = t.type.dtype!;
  const step = Math.floor(pieceBytes / t.type.bytes) * t.type.bytes;
  for (let at = 0; at < t.bytes; at += step) {
    const bytes = file.read(t.offset + at, Math.min(step, t.bytes - at));
    const first = (at / t.type.bytes) * t.type.elements;
    if (isBlock(dtype)) {
      checkBlocks(bytes, t, file.name);
      dequantize(bytes, dtype, values.subarray(first));
    } else values.set(plain[dtype]!(bytes.buffer), first);
  }
  checkFinite(values, t.shape, `${file.name}, tensor ${t.name}`, firstRow);
  return values;
}
