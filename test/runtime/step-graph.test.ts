/**
 * A program in steps, executed by a session: products as kernels, all else on the reference backend. The executor here multiplies
 * what lies in the buffers, in bf16 as an array would.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { compileModule } from "../../src/codegen/compile.ts";
import { arrayBackend } from "../../src/codegen/mlir-aie/array-backend.ts";
import type { AieKernelMaker } from "../../src/codegen/mlir-aie/kernel.ts";
import { checkSteps } from "../../src/codegen/mlir-aie/steps.ts";
import { aieSupport } from "../../src/codegen/mlir-aie/support.ts";
import { cast, staticShape } from "../../src/ir/index.ts";
import type { ArrayExecutor } from "../../src/runtime/aie/executor.ts";
import { aieMachine } from "../../src/targets/aie-machine.ts";
import { compiled, source } from "../codegen/programs.ts";
import { build, largestDifference, promptOf, withSession } from "../support/builds.ts";
import { tempFolder } from "../support/temp.ts";

/** x [m, k] and w [n, k] in bf16, rows padded to a multiple of 4, a bias in f32 -> [m, n] in f32. */
const product: AieKernelMaker = (n) => {
  const [x, w, b] = n.inputs.map((i) => staticShape(i.type.shape));
  if (!b) return { host: "it has no bias" };
  const rows = Math.ceil(x![0]! / 4) * 4;
  const name = `product_${rows}_${w![1]}_${w![0]}`;
  const buffers = [
    { holds: 0, dtype: "bf16", shape: [rows, x![1]!] },
    { holds: 1, dtype: "bf16", shape: w!, pack: (weight: typeof n) => cast(weight, { dtype: "bf16" }) },
    { holds: 2, dtype: "f32", shape: b },
    { holds: "result", dtype: "f32", shape: [rows, w![0]!] },
  ] as const;
  const design = { name, text: `// ${name}\n` };
  return { kernel: { name, alone: () => ({ design, buffers }) }, operands: n.inputs };
};

/** The array's table with everything on the host. */
const onHost = Object.fromEntries(
  Object.entries(aieSupport).map(([op, how]) => [op, how === "expand" ? how : { host: true }]),
) as unknown as typeof aieSupport;

const opened: string[] = [];
const multiplier: ArrayExecutor = {
  async open({ name, file }) {
    assert.is(readFileSync(file, "utf8"), `// ${name}\n`);
    opened.push(name);
    const [rows, k, n] = name.split("_").slice(1).map(Number) as [number, number, number];
    const reals = (bits: ArrayLike<number>) => new Float32Array(Uint32Array.from(bits, (x) => x << 16).buffer);
    return {
      run: async ([xBits, wBits, b, y]) => {
        const [x, w] = [reals(xBits!), reals(wBits!)];
        for (let i = 0; i < rows; i++)
          for (let j = 0; j < n; j++) {
            let sum = b![j]!;
            for (let t = 0; t < k; t++) sum += x[i * k + t]! * w[j * k + t]!;
            y![i * n + j] = sum;
          }
      },
      close: () => {},
    };
  },
};

async function stepped(program: string): Promise<string> {
  const { module, info, passes } = await compiled(program);
  const out = join(tempFolder(), program);
  const backend = () => arrayBackend(aieMachine("npu1")!, { ...onHost, linear: { kernel: product } });
  const names = passes.map((p) => p.name);
  const common = { program, module, info, precision: "f32", weights: source, out, passes: names } as const;
  await compileModule({ ...common, target: "phoenix", backend });
  return out;
}

for (const program of ["gpt2-fa2-kv-fused", "gpt2-baseline"] as const)
  test(`${program}: prefill, decoding and a longer context agree with the reference backend`, async () => {
    const [folder, whole] = [await stepped(program), await build(program)];
    await withSession(
      folder,
      (session) =>
        withSession(whole, async (reference) => {
          for (const tokens of [promptOf(5), promptOf(60), promptOf(70)]) {
            const error = largestDifference(await session.prefill(tokens), await reference.prefill(tokens));
            // bf16 has 8 bits; the logits of the tiny model reach about 1.
            assert.ok(error > 0 && error < 0.02, `${tokens.length} tokens: ${error}`);
            const step = largestDifference(await session.decode(7), await reference.decode(7));
            assert.ok(step < 0.02, `one more: ${step}`);
          }
        }),
      { executor: multiplier },
    );
    assert.ok(new Set(opened).size >= 4);
  });

test("backends that cannot execute a build say which ones can", async () => {
  const folder = await stepped("gpt2-fa2-kv-fused");
  const refusal = async (of: string, backend: "reference" | "xrt") =>
    withSession(of, async () => "nothing was refused", { backend }).catch((e: Error) => e.message);
  assert.match(await refusal(folder, "reference"), /was compiled for phoenix.*reference does not execute/);
  assert.match(await refusal(folder, "reference"), /--backend aie-sim or xrt/);
  assert.match(await refusal(await build("gpt2-fa2-kv-fused"), "xrt"), /was compiled for reference.*--target phoenix/s);
});

test("a damaged steps file is refused with the field", async () => {
  const folder = await stepped("gpt2-baseline");
  const file = join(folder, "mlir-aie", "forward-64.steps.json");
  const text = readFileSync(file, "utf8");
  const refusal = (content: string) => {
    writeFileSync(file, content);
    return withSession(folder, async (s) => String(await s.prefill([1])), { executor: multiplier }).catch(
      (e: Error) => e.message,
    );
  };
  assert.match(await refusal(text.replace('"dtype":"bf16"', '"dtype":"bf17"')), /forward-64\.steps\.json: \/steps/);
  assert.match(await refusal(text.replaceAll('"offset":', '"offset":1')), /are no bf16 values|weight|Bytes|bytes/);
  assert.match(await refusal(text.slice(0, 100)), /is not JSON/);
});

test("numbers behind a value lie within its buffer", () => {
  const file = (behind: readonly number[], ...shape: number[]) => ({
    format: "heddle.steps/1",
    graph: "g",
    device: "npu1",
    values: [{ name: "position", dtype: "i32", shape: [1] }],
    kernels: [{ name: "k", file: "mlir-aie/d.mlir" }],
    steps: [
      {
        kind: "kernel",
        kernel: "k",
        op: "attention",
        buffers: [{ value: "position", valueShape: [1], direction: "in", dtype: "bf16", shape, behind }],
      },
    ],
  });
  checkSteps(file([1], 2), "d.steps.json");
  assert.throws(() => checkSteps(file([1], 1), "d.steps.json"), /behind a value do not fit its buffer bf16\[1\]/);
  assert.throws(() => checkSteps(file([128], 8), "d.steps.json"), /d\.steps\.json: \/steps\/0/);
});

test.run();
