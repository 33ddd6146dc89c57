/** Runs a kernel's design in the simulator of the array, from tensors to tensors. */
import { emit } from "../../../src/codegen/mlir-aie/emit.ts";
import type { KernelPlan } from "../../../src/codegen/mlir-aie/plan.ts";
import { evaluateNodes, param } from "../../../src/ir/index.ts";
import { bufferArray, bytesPerElement, type HostArray, place, take } from "../../../src/runtime/aie/convert.ts";
import { type Design, loadDesign, type Report, simulate } from "../../../src/runtime/aie-sim/index.ts";

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export interface Ran {
  readonly design: Design;
  readonly report: Report;
  readonly out: Float32Array;
}

const size = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** @param operands of the op. @param bias is packed with the weights. @param shape of the result. */
export function runKernel(plan: KernelPlan, operands: readonly Tensor[], shape: readonly number[], bias?: Tensor): Ran {
  const design = loadDesign(emit(plan.design), { file: `${plan.name}.mlir` });
  const arrays = plan.buffers.map((b) => {
    const bytes = size(b.shape) * bytesPerElement(b.dtype);
    const array = bufferArray(b.dtype, new ArrayBuffer(bytes), 0, bytes);
    if (b.holds === "result") return array;
    const { data, shape: own } = operands[b.holds]!;
    if (b.pack) {
      const dtype = data instanceof Int32Array ? "i8" : "f32";
      const weights = param({ name: "w", dtype, shape: own });
      const packed = b.pack(weights, bias && param({ name: "b", dtype, shape: bias.shape }));
      const [value] = evaluateNodes([packed], { params: (name) => (name === "w" ? data : bias!.data) });
      place(value!.data as HostArray, b.shape, array, b.shape);
    } else place(data, own, array, b.shape, b.tiling);
    return array;
  });
  const report = simulate(design, arrays);
  const at = plan.buffers.findIndex((b) => b.holds === "result");
  const { shape: padded, tiling } = plan.buffers[at]!;
  const out = new Float32Array(size(shape));
  take(arrays[at]!, padded, out, shape, tiling);
  return { design, report, out };
}

/** Numbers between -1 and 1, the same for the same seed. */
export function random(shape: readonly number[], seed: number): Tensor & { readonly data: Float32Array } {
  let state = seed;
  const data = Float32Array.from({ length: size(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return { shape, data };
}

/** The largest difference as a part of the largest value. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [error, most] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    error = difference <= error ? error : difference;
    most = Math.max(most, Math.abs(expected[i]!));
  }
  return error / most;
}
