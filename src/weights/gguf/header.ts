/**
 * The header of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): magic, version, counts, then metadata
 * as typed keys and values, then name, shape, type and offset of each tensor, then data. Why not `@huggingface/gguf`: made
 * for browsers, it takes bytes after the end of a file for zeros, keeps the last of two equal keys, replaces text that is
 * not UTF-8 and checks no tensor against the file; a test compares the two on sound files.
 */
import type { RangeFile } from "../file.ts";
import { showSizes } from "../source.ts";
import { Cursor, type Refuse, refuser } from "./cursor.ts";
import { type GgmlType, ggmlTypes } from "./types.ts";

export type MetadataValue = number | bigint | boolean | string | readonly MetadataValue[];
export type Metadata = ReadonlyMap<string, MetadataValue>;

export interface GgufTensor {
  readonly name: string;
  /** Row-major: the last axis is the one that lies together. GGUF writes it first. */
  readonly shape: readonly number[];
  readonly type: GgmlType;
  /** Position in the file. */
  readonly offset: number;
  readonly bytes: number;
}

export interface GgufHeader {
  readonly metadata: Metadata;
  /** In the order of their data. */
  readonly tensors: readonly GgufTensor[];
}

const magic = 0x46554747;
const maxAxes = 4;
const maxDepth = 4;
/** Fewest bytes that one of them takes. */
const least = { pair: 8 + 4 + 1, tensor: 8 + 4 + 4 + 8 };
/** Fewest bytes of a value, by the number of its type. */
const valueBytes: Readonly<Record<number, number>> = {
  ...{ 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 8: 8, 9: 12, 10: 8, 11: 8, 12: 8 },
};

/** @throws HeddleError that names the file, the key or tensor if there is one, and the fault. */
export function readGgufHeader(file: RangeFile): GgufHeader {
  const refuse = refuser(file.name);
  const at = new Cursor(file, refuse);
  if (file.size < 24) refuse(`has ${file.size} bytes: a GGUF file has at least 24`);
  const first = at.u32();
  if (first !== magic) refuse("does not start with GGUF");
  const version = at.u32();
  if (version !== 2 && version !== 3)
    refuse(
      (version & 0xffff) === 0
        ? "is written in big-endian order; convert it with gguf_convert_endian.py"
        : `is of version ${version}; 2 and 3 are known`,
    );
  const tensorCount = at.count("tensors", least.tensor);
  const pairs = at.count("keys", least.pair);
  const metadata = readMetadata(at, pairs, refuse);
  const alignment = metadata.get("general.alignment") ?? 32;
  if (typeof alignment !== "number" || !Number.isInteger(alignment) || alignment < 8 || alignment % 8 !== 0)
    refuse(`is ${alignment}; it must be a multiple of 8`, "key general.alignment");
  const infos = new Map<string, Info>();
  for (let i = 0; i < tensorCount; i++) {
    const info = readTensor(at, refuse);
    if (infos.has(info.name)) refuse("appears twice", `tensor ${info.name}`);
    infos.set(info.name, info);
  }
  const start = align(at.position, alignment as number);
  return { metadata, tensors: placed([...infos.values()], start, alignment as number, file.size, refuse) };
}

const align = (n: number, to: number): number => Math.ceil(n / to) * to;

function readMetadata(at: Cursor, pairs: number, refuse: Refuse): Metadata {
  const metadata = new Map<string, MetadataValue>();
  for (let i = 0; i < pairs; i++) {
    at.part = `key ${i}`;
    const key = at.string();
    at.part = `key ${key}`;
    if (metadata.has(key)) refuse("appears twice", at.part);
    metadata.set(key, readValue(at, at.u32(), refuse));
  }
  at.part = undefined;
  return metadata;
}

function readValue(at: Cursor, type: number, refuse: Refuse, depth = 0): MetadataValue {
  if (type === 9) return readArray(at, refuse, depth);
  const readers = [at.u8, at.i8, at.u16, at.i16, at.u32, at.i32, at.f32, () => at.u8() !== 0, () => at.string()];
  const read = readers[type] ?? { 10: at.u64, 11: at.i64, 12: at.f64 }[type];
  if (!read) return refuse(`has the unknown type ${type} of value`, at.part);
  const value = read();
  return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function readArray(at: Cursor, refuse: Refuse, depth: number): MetadataValue[] {
  if (depth >= maxDepth) refuse(`has lists in lists, ${maxDepth} deep`, at.part);
  const type = at.u32();
  const count = at.count("values", valueBytes[type] ?? 1);
  const values: MetadataValue[] = [];
  for (let i = 0; i < count; i++) values.push(readValue(at, type, refuse, depth + 1));
  return values;
}

type Info = Omit<GgufTensor, "offset" | "bytes"> & { readonly relative: bigint };

function readTensor(at: Cursor, refuse: Refuse): Info {
  const name = at.string();
  const part = `tensor ${name}`;
  at.part = part;
  const axes = at.u32();
  if (axes > maxAxes) refuse(`has ${axes} axes; ${maxAxes} are the most`, part);
  const sizes = Array.from({ length: axes }, () => at.u64());
  const elements = sizes.reduce((n, d) => n * d, 1n);
  if (elements > BigInt(Number.MAX_SAFE_INTEGER)) refuse(`is [${sizes.join("x")}], too large to be true`, part);
  const shape = sizes.map(Number).reverse();
  const number = at.u32();
  const type = ggmlTypes.get(number) ?? refuse(`has the unknown type ${number}`, part);
  if ((shape.at(-1) ?? 1) % type.elements !== 0)
    refuse(`is ${type.name} ${showSizes(shape)}: rows of ${type.name} are multiples of ${type.elements}`, part);
  const relative = at.u64();
  at.part = undefined;
  return { name, shape, type, relative };
}

/** Checks that tensors follow one another, each aligned, and end with the file. */
function placed(infos: readonly Info[], start: number, alignment: number, size: number, refuse: Refuse): GgufTensor[] {
  const tensors = infos.map(({ relative, ...t }): GgufTensor => {
    const bytes = (t.shape.reduce((n, d) => n * d, 1) / t.type.elements) * t.type.bytes;
    const offset = start + Number(relative);
    if (offset + bytes > size)
      refuse(
        `ends at byte ${offset + bytes} but the file has ${size}: it is truncated, or its offsets lie`,
        `tensor ${t.name}`,
      );
    return { ...t, offset, bytes };
  });
  tensors.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let end = start;
  for (const t of tensors) {
    const part = `tensor ${t.name}`;
    if (t.offset < end) refuse(`overlaps the one before it: starts at byte ${t.offset}, that one ends at ${end}`, part);
    if (t.offset !== align(end, alignment))
      refuse(`starts at byte ${t.offset}; after the one before it comes ${align(end, alignment)}`, part);
    end = t.offset + t.bytes;
  }
  if (size > align(end, alignment)) refuse(`has ${size - end} bytes after its last tensor`);
  return tensors;
}
