/** Kernels from what they compute: with a design for themselves, once that is asked for. */
import type { AieMachine } from "../../targets/aie-machine.ts";
import { emit } from "./emit.ts";
import type { AieKernel, DesignedKernel, KernelPart } from "./kernel.ts";
import { attentionKernel } from "./kernels/attention-design.ts";
import { linearKernel } from "./kernels/linear.ts";
import { type KernelPlan, showPlan } from "./plan.ts";

/** Kernels that were made for a machine, by name: layers share them, and planning searches. */
const made = new WeakMap<AieMachine, Map<string, DesignedKernel>>();

/** A kernel with a design for itself, once. */
function alone(machine: AieMachine, name: string, make: () => KernelPlan): DesignedKernel {
  const known = made.get(machine) ?? new Map<string, DesignedKernel>();
  made.set(machine, known);
  const found = known.get(name);
  if (found) return found;
  const plan = make();
  // Most are only asked how long they take: they are written once somebody wants to read them.
  let text: string | undefined;
  const design = {
    name,
    get text() {
      text ??= emit(plan.design);
      return text;
    },
    get plan() {
      return showPlan(plan);
    },
  };
  const kernel = { design, seconds: plan.cost.seconds, buffers: plan.buffers };
  known.set(name, kernel);
  return kernel;
}

/** @param name tells the part from every other one on the machine. */
export function kernelOf(machine: AieMachine, name: string, part: KernelPart): AieKernel {
  const as = { name, about: part.about };
  const make = () =>
    "product" in part ? linearKernel(machine, part.product, as) : attentionKernel(machine, part.attention, as);
  return { name, part, alone: () => alone(machine, name, make) };
}
