/** Plans of all kernels on tiny shapes and of a layer of them that share a design, and the MLIR of two. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { emit } from "../../../src/codegen/mlir-aie/emit.ts";
import { showPlan } from "../../../src/codegen/mlir-aie/plan.ts";
import { share } from "../../../src/codegen/mlir-aie/share.ts";
import { golden, goldenFolder } from "../../golden.ts";
import { phoenix, tinyKernels } from "./kernels.ts";
import { layer } from "./layer.ts";

test("plans", () => {
  const files = Object.entries(tinyKernels).map(([name, plan]) => [`${name}.plan`, showPlan(plan())]);
  const kernels = Object.values(layer(1)).map((k) => k.kernel);
  const { design } = share(phoenix, "layer", kernels).get(kernels[0]!.name)!;
  goldenFolder("mlir-aie", ".plan", { ...Object.fromEntries(files), "layer-shared.plan": design.plan! });
});

for (const name of ["linear-skinny", "attention-decode"] as const)
  test(`MLIR of ${name}, and the same bytes twice`, () => {
    const text = emit(tinyKernels[name]!().design);
    assert.is(emit(tinyKernels[name]!().design), text);
    golden(`mlir-aie/${name}.mlir`, text);
  });

test.run();
