/** Runs a kernel's design in the simulator of the array, from tensors to tensors. */
import { emit } from "../../../src/codegen/mlir-aie/emit.ts";
import { type KernelPlan, packOperand } from "../../../src/codegen/mlir-aie/plan.ts";
import { buffer, type Packed, unpack, type Values } from "../../../src/codegen/mlir-aie/tiling.ts";
import { type Design, loadDesign, type Report, simulate } from "../../../src/runtime/aie-sim/index.ts";

export interface Ran {
  readonly design: Design;
  readonly report: Report;
  /** Results by the name of their operand. */
  readonly out: Readonly<Record<string, Float32Array>>;
}

/** @param values tensors of the op by operand, row-major. */
export function runKernel(plan: KernelPlan, values: Readonly<Record<string, Values>>): Ran {
  const design = loadDesign(emit(plan.design), { file: `${plan.name}.mlir` });
  const { args } = plan.design;
  const buffers = args.map(
    (a, i): Packed =>
      a.role === "out"
        ? buffer(
            a.type.of,
            a.type.shape.reduce((n, d) => n * d, 1),
          )
        : packOperand(plan, i, (source) => values[source] ?? missing(plan, source)),
  );
  const report = simulate(design, buffers);
  const results = args.flatMap((a, i) =>
    a.role === "out" ? [[plan.operands[i]!.source, unpack(buffers[i]!, plan.operands[i]!.tiling)] as const] : [],
  );
  return { design, report, out: Object.fromEntries(results) };
}

const missing = (plan: KernelPlan, source: string): never => {
  throw new Error(`kernel ${plan.name} needs ${source}`);
};
