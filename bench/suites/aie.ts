/** What the time model of the Phoenix array says of kernels: GEMMs, attention's traffic, and a GPT-2 layer. All rows are modelled. */
import { memoryBound, throughput, tileThroughput } from "../../src/codegen/mlir-aie/cost.ts";
import { planAttention } from "../../src/codegen/mlir-aie/kernels/attention.ts";
import { planGemm } from "../../src/codegen/mlir-aie/kernels/gemm.ts";
import { coresBound } from "../../src/codegen/mlir-aie/kernels/gemm-cost.ts";
import { aieMachine } from "../../src/targets/aie-machine.ts";
import type { SuiteContext } from "../harness.ts";
import type { Row } from "../record.ts";
import { layerTimes } from "./aie-layer.ts";
import { apart, forms, nameOf, type Product, programs, published, shapeOf } from "./aie-products.ts";

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
  const all: [string, readonly Product[]][] = [
    ...Object.entries(programs).map(([model, { products }]) => [model, products] as [string, readonly Product[]]),
    ...Object.entries(apart),
  ];
  for (const [model, products] of all)
    for (const product of products)
      for (const m of [512, 1024])
        for (const form of Object.keys(forms) as (keyof typeof forms)[]) {
          const shape = shapeOf(m, product, form);
          const { cost } = planGemm(machine, shape);
          const name = `${model} ${m}x${nameOf(shape)}`;
          const peak = peaks[shape.type === "bf16" ? "bf16" : "i8"];
          const share = throughput(cost) / peak;
          const [memory, cores] = [memoryBound(machine, shape) / peak, coresBound(machine, shape) / peak];
          row(name, form, m, "throughput", throughput(cost) / 1e12, "TOPS");
          row(name, form, m, "share of the published tile's", share, "ratio");
          row(name, form, m, "share that main memory allows", memory, "ratio");
          row(name, form, m, "share that cores allow", cores, "ratio");
          row(name, form, m, "share of the least of them", share / Math.min(1, memory, cores), "ratio");
          const whole = (2 * cost.macs) / (cost.seconds - machine.dispatchSeconds);
          row(name, form, m, "share with the waits at both ends", whole / peak, "ratio");
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
    for (const layers of [1, 12])
      for (const [how, { kernels, dispatches, loads }] of Object.entries(
        layerTimes(machine, tokens, context, layers),
      )) {
        const program = layers === 1 ? "gpt2 124m layer" : `gpt2 124m, ${layers} layers`;
        const of = `${tokens === 1 ? "decode" : "prefill 128"}, ${how === "apart" ? "a design per kernel" : "designs shared"}`;
        const line = (metric: string, seconds: number) =>
          row(program, "bf16", context, `${of}, ${metric}`, 1e6 * seconds, "us");
        line("kernels", kernels);
        line("with dispatches", kernels + dispatches);
        line("with loads of designs", kernels + dispatches + loads.again * machine.reconfigurationSeconds);
      }
  return rows;
}

/** In bf16, one op after the other: scores are written, read and written by a softmax, and read again. */
function layerBytes(s: { heads: number; queries: number; keys: number; dim: number }): number {
  const scores = 2 * s.heads * s.queries * s.keys;
  return 4 * scores + 2 * s.heads * s.dim * (2 * s.queries + 2 * s.keys);
}
