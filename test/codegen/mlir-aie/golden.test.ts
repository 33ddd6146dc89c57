/** Plans of all kernels on tiny shapes, and the MLIR of two. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { emit } from "../../../src/codegen/mlir-aie/emit.ts";
import { showPlan } from "../../../src/codegen/mlir-aie/plan.ts";
import { golden, goldenFolder } from "../../golden.ts";
import { tinyKernels } from "./kernels.ts";

test("plans", () => {
  const files = Object.entries(tinyKernels).map(([name, plan]) => [`${name}.plan`, showPlan(plan())]);
  goldenFolder("mlir-aie", ".plan", Object.fromEntries(files));
});

for (const name of ["linear-skinny", "attention-decode"] as const)
  test(`MLIR of ${name}, and the same bytes twice`, () => {
    const text = emit(tinyKernels[name]!().design);
    assert.is(emit(tinyKernels[name]!().design), text);
    golden(`mlir-aie/${name}.mlir`, text);
  });

test.run();
