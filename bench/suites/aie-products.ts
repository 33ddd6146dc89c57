/** The products of compiled programs, and what planners of them are compared with. */
import type { GemmShape } from "../../src/codegen/mlir-aie/kernels/gemm-shape.ts";

/** The published kernels (arXiv 2512.13282): tile of a core, runs of addresses in bytes, and operations per second measured. */
export const published = {
  i8: { tile: { m: 112, k: 112, n: 112 }, run: 448, measured: 6.76e12 },
  bf16: { tile: { m: 96, k: 56, n: 96 }, run: 448, measured: 3.14e12 },
} as const;

/** A product by its weights, and what its kernel does before and after it. */
export type Product = Pick<GemmShape, "k" | "n"> & Partial<Pick<GemmShape, "bias" | "norm" | "activation">>;

const norm = { centred: true, eps: 1e-5 };
const plain = (...sizes: readonly (readonly [k: number, n: number])[]): Product[] => sizes.map(([k, n]) => ({ k, n }));

/**
 * Products that the compiler makes kernels of, by graph file and configuration, with more than one row; a test compiles the programs and
 * compares. The head is a product of one row.
 */
export const programs: Readonly<Record<string, { graph: string; config: string; products: readonly Product[] }>> = {
  "gpt2 124m": {
    graph: "gpt2-fa2-kv-fused",
    config: "124m",
    products: [
      { k: 768, n: 2304, bias: true, norm },
      { k: 768, n: 768, bias: true },
      { k: 768, n: 3072, bias: true, norm, activation: "geluTanh" },
      { k: 3072, n: 768, bias: true },
    ],
  },
  "gemma3 270m": {
    graph: "gemma3-270m",
    config: "270m",
    products: plain([640, 1536], [1024, 640], [640, 4096], [2048, 640]),
  },
  "gemma3 1b": {
    graph: "gemma3-1b",
    config: "1b",
    products: plain([1152, 1536], [1024, 1152], [1152, 13824], [6912, 1152]),
  },
};

/** What Gemma's products are before queries, keys and values, and gate and up, become one each. */
export const apart: Readonly<Record<string, readonly Product[]>> = {
  "gemma3 270m apart": plain([640, 1024], [640, 256], [640, 2048]),
  "gemma3 1b apart": plain([1152, 1024], [1152, 256], [1152, 6912]),
};

/**
 * Types of operands and results. Programs in floats have the first, quantised ones the next four, by precision; the last two are what
 * published kernels yield, and sums as they are. Integers have no bias, norm or activation.
 */
export const forms = {
  "bf16, result f32": { type: "bf16", out: "f32" },
  "w8a8, result f32": { type: "i8", out: "f32" },
  "w4a8, result f32": { type: "i4", out: "f32" },
  "w8a16, result f32": { type: "i8", out: "f32", rowBytes: 2 },
  "w4a16, result f32": { type: "i4", out: "f32", rowBytes: 2 },
  "i8, result i8": { type: "i8", out: "i8", shift: 9 },
  "i8, result i32": { type: "i8", out: "i32" },
} as const satisfies Record<string, Partial<GemmShape>>;

/** What the planner is asked for. */
export function shapeOf(m: number, product: Product, form: keyof typeof forms): GemmShape {
  const { k, n } = product;
  const own = forms[form].type === "bf16" ? product : { k, n };
  return { m, bias: false, ...own, ...forms[form] };
}

/** What the benchmark says of a product, and the headings of its table. */
export const productMetrics = {
  throughput: "TOPS",
  "share of the published tile's": "share",
  "share that main memory allows": "main memory allows",
  "share that cores allow": "cores allow",
  "share of the least of them": "share of the least of these and 100%",
  "share with the waits at both ends": "share with the waits at both ends",
} as const;

/** `768x3072 norm gelu` */
export const nameOf = ({ k, n, norm: has, activation }: Pick<GemmShape, "k" | "n" | "norm" | "activation">): string =>
  [`${k}x${n}`, ...(has ? ["norm"] : []), ...(activation ? ["gelu"] : [])].join(" ");
