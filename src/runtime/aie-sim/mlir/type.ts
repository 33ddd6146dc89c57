/** Types of the subset of MLIR that is read. Shapes are static. */

export type ScalarType =
  | { readonly kind: "index" }
  | { readonly kind: "int"; readonly width: number }
  | { readonly kind: "float"; readonly name: "f32" | "bf16" | "f16" | "f64" };

export interface VectorType {
  readonly kind: "vector";
  readonly shape: readonly number[];
  readonly element: ScalarType;
}

export interface MemRefType {
  readonly kind: "memref";
  readonly shape: readonly number[];
  readonly element: ScalarType;
  /** Elements between neighbours of each dimension; dense row-major where the text has no layout. */
  readonly strides: readonly number[];
  /** Elements before the first one; undefined where the text says `?`. */
  readonly offset: number | undefined;
  /** `strided<...>` and memory space as written, for printing. */
  readonly suffix: string;
}

export interface FifoType {
  readonly kind: "fifo" | "subview";
  readonly element: MemRefType;
}

export interface FunctionType {
  readonly kind: "function";
  readonly inputs: readonly Type[];
  readonly results: readonly Type[];
}

export type Type = ScalarType | VectorType | MemRefType | FifoType | FunctionType;

export const index: ScalarType = { kind: "index" };
export const int = (width: number): ScalarType => ({ kind: "int", width });

export const isScalar = (t: Type): t is ScalarType => t.kind === "index" || t.kind === "int" || t.kind === "float";
export const isFloat = (t: Type): boolean => elementOf(t).kind === "float";

/** The type of what an op computes lane by lane. */
export const elementOf = (t: Type): ScalarType =>
  t.kind === "vector" || t.kind === "memref"
    ? t.element
    : t.kind === "fifo" || t.kind === "subview"
      ? t.element.element
      : isScalar(t)
        ? t
        : index;

export const count = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** Bits of one element. An index is a 32-bit register. */
export const bitsOf = (t: ScalarType): number =>
  t.kind === "index" ? 32 : t.kind === "int" ? t.width : t.name === "f32" ? 32 : t.name === "f64" ? 64 : 16;

/** Bytes of all elements together, which may be a fraction below 8 bits. */
export const bytesOf = (t: VectorType | MemRefType): number => (count(t.shape) * bitsOf(t.element)) / 8;

export const rowMajor = (shape: readonly number[]): number[] => shape.map((_, i) => count(shape.slice(i + 1)));

export function showType(t: Type): string {
  switch (t.kind) {
    case "index":
      return "index";
    case "int":
      return `i${t.width}`;
    case "float":
      return t.name;
    case "vector":
      return `vector<${[...t.shape, showType(t.element)].join("x")}>`;
    case "memref":
      return `memref<${[...t.shape, showType(t.element)].join("x")}${t.suffix}>`;
    case "fifo":
      return `!aie.objectfifo<${showType(t.element)}>`;
    case "subview":
      return `!aie.objectfifosubview<${showType(t.element)}>`;
    case "function": {
      const results = t.results.map(showType);
      const [only] = t.results;
      const one = results.length === 1 && only?.kind !== "function";
      return `(${t.inputs.map(showType).join(", ")}) -> ${one ? results[0] : `(${results.join(", ")})`}`;
    }
  }
}

export const sameType = (a: Type, b: Type): boolean => showType(a) === showType(b);
