/**
 * The header of a safetensors file (https://github.com/huggingface/safetensors#format): 8 bytes of header length, then JSON
 * `{name: {dtype, shape, data_offsets}}`, then data. Files come from anywhere, so nothing in them is believed: what does not
 * add up is refused with the tensor's name.
 */
import { HeddleError } from "../ir/error.ts";
import type { RangeFile } from "./file.ts";
import { topLevelKeys } from "./json-keys.ts";
import { showSizes } from "./source.ts";

/** Bytes per element of every dtype of the format. */
const bytesPer: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
};
/** The format's own limit; the header of a model with 10,000 tensors is about 1 MB. */
const maxHeader = 100_000_000;

export interface TensorEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Position in the file. */
  readonly offset: number;
  readonly bytes: number;
}

/** Tensors in the order of their data. @throws HeddleError that names the file, the tensor if there is one, and the fault. */
export function readHeader(file: RangeFile): TensorEntry[] {
  const { size } = file;
  const refuse = refuser(file.name);
  if (size < 8) refuse(`has ${size} bytes: a safetensors file starts with 8 bytes of header length`);
  const declared = file.read(0, 8).readBigUInt64LE(0);
  if (declared > BigInt(maxHeader)) refuse(`declares a header of ${declared} bytes; the format allows ${maxHeader}`);
  const start = 8 + Number(declared);
  if (start > size) refuse(`declares a header of ${declared} bytes but has ${size} bytes in all`);

  const text = decodeUtf8(file.read(8, Number(declared))) ?? refuse("has a header that is not UTF-8 text");
  if (!text.startsWith("{")) refuse("has a header that does not start with {");
  const header = parseObject(text) ?? refuse("has a header that is not a JSON object");
  const seen = new Set<string>();
  for (const key of topLevelKeys(text)) {
    if (seen.has(key)) refuse("appears twice in the header", key);
    seen.add(key);
  }
  const found = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => readEntry(name, value, start, refuse));

  found.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let end = start;
  for (const { name, offset, bytes } of found) {
    if (offset + bytes > size)
      refuse(`ends at byte ${offset + bytes} but the file has ${size}: it is truncated, or its offsets lie`, name);
    if (offset < end) refuse(`overlaps the tensor before it: starts at byte ${offset}, that one ends at ${end}`, name);
    if (offset > end) refuse(`starts at byte ${offset}, leaving ${offset - end} bytes that belong to no tensor`, name);
    end += bytes;
  }
  if (end !== size) refuse(`has ${size - end} bytes after its last tensor`);
  return found;
}

function readEntry(name: string, value: unknown, start: number, refuse: Refuse): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  if (typeof dtype !== "string" || !isSizes(shape) || !isSizes(offsets) || offsets.length !== 2)
    return refuse("needs a dtype, a shape and two data_offsets, each a list of whole numbers", name);
  if (!Object.hasOwn(bytesPer, dtype)) refuse(`has the unknown dtype ${JSON.stringify(dtype)}`, name);
  const [from, to] = offsets as [number, number];
  const bytes = shape.reduce((n, d) => n * d, bytesPer[dtype]!);
  if (to - from !== bytes)
    refuse(
      `is ${dtype} ${showSizes(shape)}, ${bytes} bytes, but its data_offsets [${from}, ${to}] hold ${to - from}`,
      name,
    );
  return { name, dtype, shape, offset: start + from, bytes };
}

type Refuse = (reason: string, tensor?: string) => never;
const refuser =
  (file: string): Refuse =>
  (reason, tensor) => {
    throw new HeddleError(reason, {
      subject: tensor === undefined ? file : `${file}, tensor ${tensor}`,
      hint: "fetch the file again: it is damaged, or it is not a safetensors file",
    });
  };

const isSizes = (v: unknown): v is number[] => Array.isArray(v) && v.every((n) => Number.isSafeInteger(n) && n >= 0);

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
