/** What of a graph becomes kernels, what stays on the host and why, and how long deciding takes. */
import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { gpt2 } from "../../../graphs/models/gpt2.ts";
import { arrayBackend } from "../../../src/codegen/mlir-aie/array-backend.ts";
import { buildScript } from "../../../src/codegen/mlir-aie/build-script.ts";
import { aieSupport } from "../../../src/codegen/mlir-aie/support.ts";
import { WeightTable } from "../../../src/codegen/weights.ts";
import { loadProgram } from "../../../src/frontend/index.ts";
import * as ir from "../../../src/ir/index.ts";
import { runPasses } from "../../../src/passes/index.ts";
import { quantizePass } from "../../../src/passes/quantize.ts";
import { splitLinears } from "../../../src/passes/split-linears.ts";
import { tempFolder } from "../../support/temp.ts";
import { compiled } from "../programs.ts";
import { phoenix } from "./kernels.ts";

const backend = arrayBackend(phoenix, aieSupport);
const planOf = (g: ir.Graph) => backend.plan(backend.legalize(g), new WeightTable());

test("products and attention of a layer become kernels, in two seconds", async () => {
  const { passes } = await loadProgram("graphs/gpt2-fa2-kv-fused.ts");
  const config = { ...gpt2.configs["124m"]!, layers: 1, vocab: 256 };
  const { graph } = runPasses(gpt2.build(config), passes).module;
  for (const bind of [
    { T: 128, C: 512 },
    { T: 1, C: 512 },
  ]) {
    const bound = ir.bind(graph, bind, "layer");
    const start = process.cpuUsage();
    const plan = planOf(bound);
    const files = backend.emit(plan);
    const spent = process.cpuUsage(start);
    const names = [...plan.kernels.keys()];
    assert.is(names.filter((n) => n.startsWith("cached_attention_12_12")).length, 1);
    assert.ok(
      names.some((n) => n.endsWith("768_3072_bias_gelu_norm_10000")),
      names.join(" "),
    );
    assert.is(plan.kernels.size, 6, "qkv, attention, projection, two of the feed-forward block, the head");
    assert.ok(files.some((f) => f.path.endsWith(".plan")) && files.some((f) => f.path === "mlir-aie/build.sh"));
    // Processor time, so that a busy machine makes no difference; with the host's graphs.
    const seconds = (spent.user + spent.system) / 1e6;
    assert.ok(seconds < 2, `${bind.T} tokens: ${seconds} s`);
  }
});

test("products of a quantised layer become kernels of integers, in two seconds; what a kernel yields is not rounded again", async () => {
  const { passes } = await loadProgram("graphs/gpt2-fa2-kv-fused.ts");
  const config = { ...gpt2.configs["124m"]!, layers: 1, vocab: 256 };
  const ranges = new Proxy({}, { get: () => ({ min: -1, max: 3 }) });
  for (const [bits, activations, suffix] of [
    [8, "u16", "w8_a16"],
    [4, "i8", "w4_a8"],
  ] as const) {
    const quantize = quantizePass({ ranges, bits: () => bits, activations, results: "float" });
    const { graph } = runPasses(gpt2.build(config), [...passes, splitLinears, quantize]).module;
    const bound = ir.bind(graph, { T: 1, C: 128 }, "layer");
    const start = process.cpuUsage();
    const plan = planOf(bound);
    backend.emit(plan);
    const spent = process.cpuUsage(start);
    const names = [...plan.kernels.keys()].filter((name) => name.startsWith("linear"));
    assert.is(names.length, 5, names.join(" "));
    assert.ok(
      names.every((name) => name.endsWith(suffix)),
      names.join(" "),
    );
    const seconds = (spent.user + spent.system) / 1e6;
    assert.ok(seconds < 2, `${suffix}: ${seconds} s`);
  }
  const x = ir.quantize(ir.input("x", "f32", 4, 64), { dtype: "i8", scale: 0.5, offset: 0 });
  const w = ir.param({ name: "w", dtype: "f32", shape: [8, 64] });
  const scales = ir.weightScales(w, { bits: 8 });
  const to = { dtype: "u16", scale: 0.5, offset: 0 } as const;
  const y = ir.dequantize(ir.quantizedLinear(x, ir.quantizeWeight(w, scales, { bits: 8 }), scales, to));
  const { declined } = planOf(ir.graph("g", { inputs: [x.inputs[0]!], outputs: [y] }));
  assert.equal(
    declined.map((d) => d.reason),
    ["its result is u16; a kernel's is f32"],
  );
});

test("a design says which op it was made for, and the line", async () => {
  const { module } = await compiled("gpt2-fa2-kv-fused");
  const plan = planOf(ir.bind(module.graph, { T: 1, C: 64 }, "decode"));
  const { text } = plan.kernels.get("linear_1_64_192_bias_norm_10000")!.design;
  assert.match(text, /^\/\/ linear %h[01]\.qkv f32\[1x64\], f32\[192x64\], f32\[192\] -> f32\[1x192\]$/m);
  assert.match(text, /^\/\/ first asked for in graphs\/models\/gpt2\.ts:\d+:\d+$/m);
});

test("what the array declines says why", () => {
  const x = ir.input("x", "f32", 4, 60);
  const w = ir.param({ name: "w", dtype: "f32", shape: [8, 60] });
  const moving = ir.input("m", "f32", 60, 60);
  const y = ir.linear(ir.linear(x, moving), w);
  const plan = planOf(ir.graph("g", { inputs: [x, moving], outputs: [y] }));
  const { declined } = plan;
  assert.equal(
    declined.map((d) => d.reason),
    ["its weights are computed at run time", "K = 60 is not a multiple of 8, the depth of the matrix unit"],
  );
  const text = backend.emit(plan).find((f) => f.path === "mlir-aie/g.steps.txt")!.text;
  assert.match(text, /^ {2}on the host: linear.*: K = 60 is not a multiple of 8/m);
});

test("the build script says what is missing, compiles once, and keeps nothing broken", () => {
  const folder = tempFolder();
  const script = join(folder, "build.sh");
  writeFileSync(script, buildScript);
  writeFileSync(
    join(folder, "a.mlir"),
    "  aie.runtime_sequence @one(%a: memref<4xi32>) {\n    aie.runtime_sequence @two() {\n",
  );
  const run = (PATH: string) => {
    const { status, stdout, stderr } = spawnSync("/bin/sh", [script], { env: { PATH }, encoding: "utf8" });
    return { status, text: stdout + stderr };
  };
  const nothing = run("/bin:/usr/bin");
  assert.is(nothing.status, 1);
  assert.match(nothing.text, /error: aiecc is not on the PATH; the head of .*build\.sh says where to get it/);

  const tools = tempFolder();
  const write = (name: string, body: string) =>
    writeFileSync(join(tools, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  write("xclbinutil", "exit 0");
  write("aiecc", 'for a; do case "$a" in --*-name=*) echo > $(echo "$a" | cut -d= -f2);; esac; done');
  assert.equal(run(`${tools}:/bin:/usr/bin`), { status: 0, text: "a\n" });
  const made = () => readdirSync(folder).filter((f) => f.startsWith("a.") && f !== "a.mlir");
  assert.equal(made().sort(), ["a.one.insts.bin", "a.two.insts.bin", "a.xclbin"]);
  assert.equal(run(`${tools}:/bin:/usr/bin`), { status: 0, text: "a: up to date\n" });
  write("aiecc", "exit 3");
  writeFileSync(join(folder, "a.xclbin"), "");
  spawnSync("touch", ["-d", "2001-01-01", join(folder, "a.xclbin")]);
  const failed = run(`${tools}:/bin:/usr/bin`);
  assert.is(failed.status, 1);
  assert.match(failed.text, /error: aiecc cannot compile a\.mlir/);
  assert.equal(made(), []);
});

test.run();
