/** Types of the values that flow through a graph: element type, shape and, where there is any, quantisation. */

/** Block types (blocks.ts): how many elements share a block of how many bytes. */
export const blockFormats = {
  q8_0: { elements: 32, bytes: 34 },
  q4_0: { elements: 32, bytes: 18 },
  q5_0: { elements: 32, bytes: 22 },
  q4_k: { elements: 256, bytes: 144 },
  q5_k: { elements: 256, bytes: 176 },
  q6_k: { elements: 256, bytes: 210 },
} as const;
export type BlockType = keyof typeof blockFormats;

const plain = ["f64", "f32", "f16", "bf16", "i32", "i8", "i4", "u8", "u16", "bool"] as const;
export type DType = (typeof plain)[number] | BlockType;
export const dtypes: readonly DType[] = [...plain, ...(Object.keys(blockFormats) as BlockType[])];

const bitsIn = (t: BlockType): number => (8 * blockFormats[t].bytes) / blockFormats[t].elements;

/** Bits of one element in memory; of a block type its share of the block, which need not be whole. */
export const bitsOf: Readonly<Record<DType, number>> = {
  f64: 64,
  f32: 32,
  f16: 16,
  bf16: 16,
  i32: 32,
  i8: 8,
  i4: 4,
  u8: 8,
  u16: 16,
  bool: 8,
  q8_0: bitsIn("q8_0"),
  q4_0: bitsIn("q4_0"),
  q5_0: bitsIn("q5_0"),
  q4_k: bitsIn("q4_k"),
  q5_k: bitsIn("q5_k"),
  q6_k: bitsIn("q6_k"),
};

/** A size that is bound later, such as the number of tokens: a name with the range that it may take. */
export interface Sym {
  readonly sym: string;
  readonly min: number;
  readonly max: number;
}
export type Dim = number | Sym;
export type Shape = readonly Dim[];

/** `real = (q + offset) * scale`, per tensor or along one axis. */
export interface Quant {
  readonly axis?: number;
  readonly scales: readonly number[];
  readonly offsets: readonly number[];
}

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly quant?: Quant;
}

export const tensor = (dtype: DType, ...shape: Dim[]): TensorType => ({ dtype, shape });
export const sym = (name: string, min: number, max: number): Sym => ({ sym: name, min, max });

export const isFloat = (d: DType): boolean => d === "f64" || d === "f32" || d === "f16" || d === "bf16";

/** Two symbols are the same size when they have the same name. */
export const sameDim = (a: Dim, b: Dim): boolean =>
  typeof a === "number" || typeof b === "number" ? a === b : a.sym === b.sym;

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => sameDim(d, b[i]!));

export const sameType = (a: TensorType, b: TensorType): boolean =>
  a.dtype === b.dtype && sameShape(a.shape, b.shape) && JSON.stringify(a.quant) === JSON.stringify(b.quant);

export const showDim = (d: Dim): string => (typeof d === "number" ? String(d) : d.sym);
export const showShape = (s: Shape): string => `[${s.map(showDim).join("x")}]`;

/** `f32[Tx768]`; a quantised type ends in its encoding, `i8[768x768] quant(axis=0, ...)`. */
export function showType(t: TensorType): string {
  const q = t.quant;
  if (!q) return t.dtype + showShape(t.shape);
  const axis = q.axis === undefined ? "" : `axis=${q.axis}, `;
  return `${t.dtype}${showShape(t.shape)} quant(${axis}scales=[${q.scales.join(",")}], offsets=[${q.offsets.join(",")}])`;
}

/** The shape as numbers. @throws Error naming the symbol that nobody bound. */
export function staticShape(s: Shape): number[] {
  return s.map((d) => {
    if (typeof d === "number") return d;
    throw new Error(`size ${d.sym} is not bound: bind the graph (bind(graph, { ${d.sym}: 128 })) before this step`);
  });
}

export const elements = (s: Shape): number => staticShape(s).reduce((n, d) => n * d, 1);

/** Numbers multiplied, symbols counted: two shapes hold equally many elements, whatever is bound, if these agree. */
export function product(shape: Shape): string {
  const symbols = shape.flatMap((d) => (typeof d === "number" ? [] : [d.sym]));
  const numbers = shape.reduce<number>((n, d) => (typeof d === "number" ? n * d : n), 1);
  return [numbers, ...symbols.sort()].join(" x ");
}

/** Bytes of a tensor in memory, sub-byte types packed. */
export const bytesOf = (t: TensorType): number => Math.ceil((elements(t.shape) * bitsOf[t.dtype]) / 8);

/** Numpy broadcasting of two shapes. @returns undefined where they do not fit. */
export function broadcast(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (sameDim(x, y) || y === 1) out.push(x);
    else if (x === 1) out.push(y);
    else return undefined;
  }
  return out;
}
