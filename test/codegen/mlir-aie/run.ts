/** Runs a kernel's design in the simulator of the array, from tensors to tensors. */
import { emit } from "../../../src/codegen/mlir-aie/emit.ts";
import type { AieBuffer } from "../../../src/codegen/mlir-aie/kernel.ts";
import type { KernelPlan } from "../../../src/codegen/mlir-aie/plan.ts";
import { type DType, evaluateNodes, param } from "../../../src/ir/index.ts";
import {
  type BufferArray,
  bufferArray,
  bytesPerElement,
  type HostArray,
  place,
  take,
} from "../../../src/runtime/aie/convert.ts";
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

/** Values that are packed with the weights. */
export interface Columns {
  readonly bias?: Tensor;
  readonly starts?: readonly Tensor[];
  readonly scales?: Tensor;
  readonly largest?: Tensor;
}

/** A weight as it is stored for a kernel. */
export function packed(b: AieBuffer, weight: Tensor, columns: Columns): HostArray {
  const known = new Map<string, Tensor["data"]>();
  const given = (name: string, { data, shape }: Tensor, whole: DType) => {
    known.set(name, data);
    return param({ name, dtype: data instanceof Int32Array ? whole : "f32", shape });
  };
  const { bias, starts, scales, largest } = columns;
  const stored = b.pack!(given("w", weight, "i8"), {
    ...(bias && { bias: given("bias", bias, "i32") }),
    ...(starts && { starts: starts.map((s, i) => given(`start${i}`, s, "i32")) }),
    ...(scales && { scales: given("scales", scales, "i32") }),
    ...(largest && { largest: given("largest", largest, "i32") }),
  });
  const [value] = evaluateNodes([stored], { params: (name) => known.get(name)! });
  return value!.data as HostArray;
}

/** @param operands of the op. @param shape of the result. */
export function runKernel(
  plan: KernelPlan,
  operands: readonly Tensor[],
  shape: readonly number[],
  columns: Columns = {},
): Ran {
  const design = loadDesign(emit(plan.design), { file: `${plan.name}.mlir` });
  const arrays = buffersFor(plan.buffers, operands, columns);
  const report = simulate(design, arrays);
  return { design, report, out: resultOf(plan.buffers, arrays, shape) };
}

/** The buffers of a run, with the operands where the kernel wants them. */
export function buffersFor(
  buffers: readonly AieBuffer[],
  operands: readonly Tensor[],
  columns: Columns = {},
): BufferArray[] {
  return buffers.map((b) => {
    const bytes = size(b.shape) * bytesPerElement(b.dtype);
    const array = bufferArray(b.dtype, new ArrayBuffer(bytes), 0, bytes);
    if (b.holds === "result") return array;
    const { data, shape: own } = operands[b.holds]!;
    if (b.behind) array.set(b.behind, size(own));
    if (b.pack) {
      place(packed(b, operands[b.holds]!, columns), b.shape, array, b.shape);
    } else place(data, own, array, b.shape, b.tiling, b.fixed);
    return array;
  });
}

/** @param shape of the result. */
export function resultOf(
  buffers: readonly AieBuffer[],
  arrays: readonly BufferArray[],
  shape: readonly number[],
): Float32Array {
  const at = buffers.findIndex((b) => b.holds === "result");
  const { shape: padded, tiling } = buffers[at]!;
  const out = new Float32Array(size(shape));
  take(arrays[at]!, padded, out, shape, tiling);
  return out;
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
