/** The kernels of layers of GPT-2 124M on the Phoenix array, in the designs that the compiler puts them into. */
import type { AieKernel, DesignedKernel } from "../../src/codegen/mlir-aie/kernel.ts";
import { kernelOf } from "../../src/codegen/mlir-aie/part.ts";
import { share } from "../../src/codegen/mlir-aie/share.ts";
import type { AieMachine } from "../../src/targets/aie-machine.ts";
import { programs, shapeOf } from "./aie-products.ts";

/** Kernels in the order of a run, for `m` tokens over a cache of `context` places: products, and attention after the first of them. */
export function layerKernels(machine: AieMachine, m: number, context: number, layers: number): AieKernel[] {
  const about: string[] = [];
  const [qkv, ...others] = programs["gpt2 124m"]!.products.map((p, i) =>
    kernelOf(machine, `linear_${m}_${i}`, { product: shapeOf(m, p, "bf16, result f32"), about }),
  );
  const shape = { heads: 12, groups: 12, queries: m, keys: context, dim: 64, scale: 1 / 8, window: 0, cached: true };
  const attention = kernelOf(machine, `attention_${m}_${context}`, { attention: shape, about });
  return Array.from({ length: layers }, () => [qkv!, attention, ...others]).flat();
}

export interface LayerTimes {
  /** Seconds of all kernels, and of the dispatches besides. */
  readonly kernels: number;
  readonly dispatches: number;
  /** Designs that are loaded: from one that another program has left, and in a run that follows one of its own. */
  readonly loads: { readonly first: number; readonly again: number };
}

/** @param designed every kernel of the run, in order. */
export function timesOf(machine: AieMachine, designed: readonly DesignedKernel[]): LayerTimes {
  const dispatches = designed.length * machine.dispatchSeconds;
  const changes = (before: DesignedKernel | undefined) =>
    designed.filter((k, i) => k.design !== (i ? designed[i - 1] : before)?.design).length;
  return {
    kernels: designed.reduce((sum, k) => sum + k.seconds!, 0) - dispatches,
    dispatches,
    loads: { first: changes(undefined), again: changes(designed.at(-1)) },
  };
}

/** The same kernels with a design each, and shared. */
export function layerTimes(machine: AieMachine, m: number, context: number, layers: number) {
  const runs = layerKernels(machine, m, context, layers);
  const shared = share(machine, "layer", runs);
  return {
    apart: timesOf(
      machine,
      runs.map((k) => k.alone()),
    ),
    shared: timesOf(
      machine,
      runs.map((k) => shared.get(k.name)!),
    ),
  };
}
