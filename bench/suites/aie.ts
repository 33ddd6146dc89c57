/** What the time model of the Phoenix array says of kernels: GEMMs, attention's traffic, and a GPT-2 layer. All rows are modelled. */
import { memoryBound, throughput, tileThroughput } from "../../src/codegen/mlir-aie/cost.ts";
import { planAttention } from "../../src/codegen/mlir-aie/kernels/attention.ts";
import { type GemmShape, planGemm } from "../../src/codegen/mlir-aie/kernels/gemm.ts";
import { aieMachine } from "../../src/targets/aie-machine.ts";
import type { SuiteContext } from "../harness.ts";
import type { Row } from "../record.ts";

/** The published kernels (arXiv 2512.13282): tile of a core, runs of addresses in bytes, and operations per second measured. */
export const published = {
  i8: { tile: { m: 112, k: 112, n: 112 }, run: 448, measured: 6.76e12 },
  bf16: { tile: { m: 96, k: 56, n: 96 }, run: 448, measured: 3.14e12 },
} as const;

/**
 * Products of a layer of the two model families by the inner and outer size of their weights; Gemma's queries, keys and values in one
 * as well as apart. The head is a product of one row.
 */
export const products: Readonly<Record<string, readonly (readonly [k: number, n: number])[]>> = {
  "gpt2 124m": [
    [768, 2304],
    [768, 768],
    [768, 3072],
    [3072, 768],
  ],
  "gemma3 270m": [
    [640, 1024],
    [640, 256],
    [640, 1536],
    [1024, 640],
    [640, 2048],
    [2048, 640],
  ],
  "gemma3 1b": [
    [1152, 1024],
    [1152, 256],
    [1152, 1536],
    [1024, 1152],
    [1152, 6912],
    [6912, 1152],
  ],
};

/** What the planner is asked for: types of operands, sums and result. */
export const forms = {
  "bf16, result f32": { type: "bf16", out: "f32", bias: true },
  "bf16, result bf16": { type: "bf16", out: "bf16", bias: true },
  "i8, result i8": { type: "i8", out: "i8", shift: 9, bias: false },
  "i8, result i32": { type: "i8", out: "i32", bias: false },
} as const satisfies Record<string, Omit<GemmShape, "m" | "k" | "n">>;

export async function aie({ row: common, say }: SuiteContext): Promise<Row[]> {
  const machine = aieMachine("npu1")!;
  const device = `phoenix (npu1) at ${machine.clockHz / 1e9} GHz`;
  const rows: Row[] = [];
  const row = (program: string, precision: string, context: number, metric: string, value: number, unit: string) => {
    say(`  ${program}, ${precision}, ${metric}: ${value.toPrecision(4)} ${unit}`);
    rows.push({ ...common({ program, precision, context, metric, value, unit, source: "modelled" }), device });
  };
  const peaks = { i8: 0, bf16: 0 };
  for (const [type, { tile, run, measured }] of Object.entries(published) as ["i8" | "bf16", typeof published.bf16][]) {
    peaks[type] = tileThroughput(machine, type, tile, run);
    const name = `published tile ${tile.m}x${tile.k}x${tile.n}`;
    row(name, type, 0, "throughput", peaks[type] / 1e12, "TOPS");
    row(name, type, 0, "modelled / measured by its authors", peaks[type] / measured, "ratio");
  }
  for (const [model, sizes] of Object.entries(products))
    for (const [k, n] of sizes)
      for (const m of [512, 1024])
        for (const [precision, form] of Object.entries(forms)) {
          const { cost } = planGemm(machine, { m, k, n, ...form });
          const name = `${model} ${m}x${k}x${n}`;
          const peak = peaks[form.type];
          row(name, precision, m, "throughput", throughput(cost) / 1e12, "TOPS");
          row(name, precision, m, "share of the published tile's", throughput(cost) / peak, "ratio");
          const whole = (2 * cost.macs) / (cost.seconds - machine.dispatchSeconds);
          row(name, precision, m, "the same with the wait for the first operands", whole / peak, "ratio");
          row(
            name,
            precision,
            m,
            "share that main memory allows",
            memoryBound(machine, { m, k, n, ...form }) / peak,
            "ratio",
          );
        }
  for (const tokens of [128, 512, 1024]) {
    const shape = {
      heads: 12,
      groups: 12,
      queries: tokens,
      keys: tokens,
      dim: 64,
      scale: 0.125,
      window: 0,
      cached: false,
    };
    const { cost } = planAttention(machine, shape);
    row("gpt2 124m attention", "bf16", tokens, "traffic", cost.bytes / 1e6, "MB");
    row(
      "gpt2 124m attention",
      "bf16",
      tokens,
      "traffic layer by layer / fused",
      layerBytes(shape) / cost.bytes,
      "ratio",
    );
  }
  for (const [tokens, context] of [
    [128, 128],
    [1, 512],
  ] as const)
    row(
      "gpt2 124m layer",
      "bf16",
      context,
      tokens === 1 ? "decode" : "prefill 128",
      1e6 * layer(tokens, context),
      "us",
    );
  return rows;

  /** Seconds of a layer's products and its attention, each a dispatch. */
  function layer(m: number, context: number): number {
    const linear = products["gpt2 124m"]!.map(
      ([k, n]) => planGemm(machine, { m, k, n, type: "bf16", out: "f32", bias: true }).cost.seconds,
    );
    const shape = { heads: 12, groups: 12, queries: m, keys: context, dim: 64, scale: 0.125, window: 0, cached: true };
    return linear.reduce((a, b) => a + b, planAttention(machine, shape).cost.seconds);
  }
}

/** In bf16, one op after the other: scores are written, read and written by a softmax, and read again. */
function layerBytes(s: { heads: number; queries: number; keys: number; dim: number }): number {
  const scores = 2 * s.heads * s.queries * s.keys;
  return 4 * scores + 2 * s.heads * s.dim * (2 * s.queries + 2 * s.keys);
}
