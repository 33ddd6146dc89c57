/**
 * Core bodies and whole designs before MLIR's own tools: mlir-opt parses and verifies them and lowers the bodies to LLVM, and
 * mlir-runner computes with them what the simulator computed, bit for bit.
 */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { emit } from "../../../src/codegen/mlir-aie/emit.ts";
import type { Core } from "../../../src/runtime/aie-sim/design.ts";
import { type Design, loadDesign, simulate } from "../../../src/runtime/aie-sim/index.ts";
import { parseModule } from "../../../src/runtime/aie-sim/mlir/parse.ts";
import { printOp } from "../../../src/runtime/aie-sim/mlir/print.ts";
import { bytesOf } from "../../../src/runtime/aie-sim/mlir/type.ts";
import { tinyKernels } from "../../codegen/mlir-aie/kernels.ts";
import { haveMlir, mlirOpt } from "../../support/mlir-tools.ts";
import { runCore } from "./mlir-core.ts";

const here = haveMlir() ? test : test.skip;

/** Simulates, and gives one core of each program to MLIR's tools. */
function compare(design: Design, buffers: readonly ArrayBufferView[]): number {
  const seen = new Map<Core, { taken: Map<string, Int32Array[]>; given: Map<string, Int32Array[]> }>();
  simulate(design, buffers, {
    observe: ({ core, fifo, side, words }) => {
      const of = seen.get(core) ?? { taken: new Map(), given: new Map() };
      seen.set(core, of);
      const list = side === "Consume" ? of.taken : of.given;
      list.set(fifo, [...(list.get(fifo) ?? []), words]);
    },
  });
  const programs = new Map(design.cores.map((c) => [c.source, c.core]));
  for (const core of programs.values()) {
    const { taken, given } = seen.get(core)!;
    for (const [fifo, words] of runCore(design, core, taken, given)) {
      const ours = Int32Array.from(given.get(fifo)!.flatMap((e) => [...e]));
      assert.equal(words, ours, `@${fifo} of the core on tile ${core.tile.name}`);
    }
  }
  return programs.size;
}

const noise = (bytes: number): Uint16Array => {
  let state = 1;
  return Uint16Array.from({ length: bytes / 2 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    // A sign, an exponent near 1 and seven bits: bf16 of either sign between 1/8 and 2.
    return ((state >>> 31) << 15) | ((124 + ((state >>> 20) & 3)) << 7) | ((state >>> 8) & 127);
  });
};

here("one core of bf16 products", () => {
  const file = "test/golden/aie-sim/gemm.mlir";
  const design = loadDesign(readFileSync(file, "utf8"), { file });
  compare(
    design,
    design.host.args.map(({ type }) => noise(bytesOf(type))),
  );
});

for (const [name, make] of Object.entries(tinyKernels))
  here(`kernel ${name}: cores, and the whole file in generic form`, () => {
    const plan = make();
    const text = emit(plan.design);
    const design = loadDesign(text, { file: `${name}.mlir` });
    const buffers = design.host.args.map(({ type }, i) => {
      const { role, name } = plan.design.args[i]!;
      // A position is the bits of an integer.
      if (role === "out" || name === "position") return new Uint16Array(bytesOf(type) / 2).fill(20, 0, 1);
      return noise(bytesOf(type));
    });
    assert.ok(compare(design, buffers) >= 1);
    // MLIR looks for no function beyond an op that it does not know: calls are checked with the core bodies, above.
    const generic = printOp(parseModule(text, name)).replaceAll('"func.call"', '"aie.call"');
    const printed = mlirOpt(generic, "--allow-unregistered-dialect");
    assert.match(printed, '"aie.device"');
    assert.match(printed, '"aie.objectfifo"');
  });

test.run();
