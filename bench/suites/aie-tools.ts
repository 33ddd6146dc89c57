/** How long the tools for the array take on this machine for a layer of GPT-2 124M: planning and emitting, checking, simulating. */
import type { AieBuffer, AieKernel } from "../../src/codegen/mlir-aie/kernel.ts";
import { share } from "../../src/codegen/mlir-aie/share.ts";
import { constant, evaluateNodes } from "../../src/ir/index.ts";
import {
  type BufferArray,
  bufferArray,
  bytesPerElement,
  type HostArray,
  place,
} from "../../src/runtime/aie/convert.ts";
import { loadDesign, simulate } from "../../src/runtime/aie-sim/index.ts";
import { aieMachine } from "../../src/targets/aie-machine.ts";
import type { SuiteContext } from "../harness.ts";
import type { Row } from "../record.ts";
import { layerKernels } from "./aie-layer.ts";

const context = 128;
const machine = aieMachine("npu1")!;

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
    const runs = timed("plan and emit", () => {
      const kernels = layerKernels(machine, tokens, context, 1);
      const made = share(machine, "layer", kernels);
      return kernels.map((kernel) => {
        const { design, buffers } = made.get(kernel.name)!;
        return { kernel, text: design.text, buffers };
      });
    });
    const designs = timed(
      "read and check",
      () =>
        new Map([...new Set(runs.map((r) => r.text))].map((text) => [text, loadDesign(text, { file: "layer.mlir" })])),
    );
    // Weights are zeros, but for what they say of every tile.
    const arrays = runs.map(({ kernel, buffers }) => buffers.map((b) => contents(kernel, b)));
    const run = () => {
      for (const [i, { kernel, text }] of runs.entries())
        simulate(designs.get(text)!, arrays[i]!, { sequence: kernel.name });
    };
    timed("simulate, first run", run);
    timed("simulate, later runs", run);
  }
  return rows;
}

/** A buffer of zeros; for weights packed ones, and the position of the last place of the cache. */
function contents({ part }: AieKernel, b: AieBuffer): BufferArray {
  const bytes = b.shape.reduce((n, d) => n * d, bytesPerElement(b.dtype));
  const array = bufferArray(b.dtype, new ArrayBuffer(bytes), 0, bytes);
  if (b.pack && part && "product" in part) {
    const { k, n, bias } = part.product;
    const zeros = (...shape: number[]) => constant({ dtype: "f32", shape, values: [0] });
    const packed = b.pack(zeros(n, k), bias ? { bias: zeros(n) } : {});
    place(evaluateNodes([packed], { params: () => new Float32Array() })[0]!.data as HostArray, b.shape, array, b.shape);
  }
  if (b.holds === 3) array[0] = context - 1;
  return array;
}
