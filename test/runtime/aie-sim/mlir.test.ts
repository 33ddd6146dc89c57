/**
 * Core bodies and whole designs before MLIR's own tools: mlir-opt parses and verifies them and lowers the bodies to LLVM, and
 * mlir-runner computes with them what the simulator computed, bit for bit.
 */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { emit } from "../../../src/codegen/mlir-aie/emit.ts";
import { genericModule } from "../../../src/runtime/aie-sim/extract.ts";
import { type Design, loadDesign } from "../../../src/runtime/aie-sim/index.ts";
import { parseModule } from "../../../src/runtime/aie-sim/mlir/parse.ts";
import { bytesOf, count, showType } from "../../../src/runtime/aie-sim/mlir/type.ts";
import { tinyKernels } from "../../codegen/mlir-aie/kernels.ts";
import { haveMlir, mlirOpt } from "../../support/mlir-tools.ts";
import { compare, noise } from "./mlir-core.ts";

const here = haveMlir() ? test : test.skip;

/** Contents of the host's buffers. An integer that a core reads is a position in a cache. */
const contents = (design: Design): ArrayBufferView[] =>
  design.host.args.map(({ type }, i) => {
    const element = showType(type.element);
    return element === "i32" ? new Int32Array(count(type.shape)).fill(37) : noise(bytesOf(type), i + 1, element);
  });

here("one core of bf16 products", () => {
  const file = "test/golden/aie-sim/gemm.mlir";
  const design = loadDesign(readFileSync(file, "utf8"), { file });
  assert.is(compare(design, contents(design)), 1);
});

for (const [name, make] of Object.entries(tinyKernels))
  here(`kernel ${name}: cores, and the whole file in generic form`, () => {
    const text = emit(make().design);
    const design = loadDesign(text, { file: `${name}.mlir` });
    assert.ok(compare(design, contents(design)) >= 1);
    const printed = mlirOpt(genericModule(parseModule(text, name)), "--allow-unregistered-dialect");
    assert.match(printed, '"aie.device"');
    assert.match(printed, '"aie.objectfifo"');
  });

test.run();
