/** How long the tools for the array take on this machine for a layer of GPT-2 124M: planning and emitting, checking, simulating. */
import { emit } from "../../src/codegen/mlir-aie/emit.ts";
import { attentionKernel } from "../../src/codegen/mlir-aie/kernels/attention-design.ts";
import { linearKernel } from "../../src/codegen/mlir-aie/kernels/linear.ts";
import type { KernelPlan } from "../../src/codegen/mlir-aie/plan.ts";
import { loadDesign, simulate } from "../../src/runtime/aie-sim/index.ts";
import { bytesOf } from "../../src/runtime/aie-sim/mlir/type.ts";
import { aieMachine } from "../../src/targets/aie-machine.ts";
import type { SuiteContext } from "../harness.ts";
import type { Row } from "../record.ts";

const context = 128;
const machine = aieMachine("npu1")!;

/** The kernels of a layer for `m` tokens over the cache. */
function layer(m: number): KernelPlan[] {
  const linear = (k: number, n: number, activation?: "geluTanh") =>
    linearKernel(
      machine,
      { m, k, n, type: "bf16", out: "f32", bias: true, activation },
      { name: `linear_${k}_${n}`, about: [] },
    );
  const attention = { heads: 12, groups: 12, queries: m, keys: context, dim: 64, scale: 1 / 8, window: 0 };
  return [
    linear(768, 2304),
    attentionKernel(machine, { ...attention, cached: true }, { name: "attention", about: [] }),
    linear(768, 768),
    linear(768, 3072, "geluTanh"),
    linear(3072, 768),
  ];
}

export async function aieTools({ row, say }: SuiteContext): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, tokens] of [
    ["decode", 1],
    ["prefill", context],
  ] as const) {
    const timed = <T>(metric: string, work: () => T): T => {
      const start = performance.now();
      const result = work();
      const value = performance.now() - start;
      say(`  ${name}, ${metric}: ${value.toFixed(0)} ms`);
      const program = `gpt2 124m, a layer, ${name}`;
      rows.push(row({ program, precision: "bf16", context, metric, value, unit: "ms", source: "measured" }));
      return result;
    };
    const texts = timed("plan and emit", () => layer(tokens).map((p) => emit(p.design)));
    const designs = timed("read and check", () => texts.map((text) => loadDesign(text, { file: "layer.mlir" })));
    const run = () => {
      for (const d of designs)
        simulate(
          d,
          d.host.args.map(({ type }) => new Uint8Array(bytesOf(type))),
        );
    };
    timed("simulate, first run", run);
    timed("simulate, later runs", run);
  }
  return rows;
}
