/** Kernels from what they compute: with a design for themselves, once that is asked for. */
import type { AieMachine } from "../../targets/aie-machine.ts";
import { emit } from "./emit.ts";
import type { AieKernel, DesignedKernel, KernelPart } from "./kernel.ts";
import { attentionKernel } from "./kernels/attention-design.ts";
import { linearKernel } from "./kernels/linear.ts";
import { perMachine } from "./per-machine.ts";
import { type KernelPlan, showPlan } from "./plan.ts";

/** Kernels with a design for themselves: layers share them. */
const made = perMachine<DesignedKernel>();

function designed(name: string, plan: KernelPlan): DesignedKernel {
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
  return { design, seconds: plan.cost.seconds, buffers: plan.buffers };
}

/** @param name tells the part from every other one on the machine. */
export function kernelOf(machine: AieMachine, name: string, part: KernelPart): AieKernel {
  const as = { name, about: part.about };
  const make = () =>
    "product" in part ? linearKernel(machine, part.product, as) : attentionKernel(machine, part.attention, as);
  return { name, part, alone: () => made(machine, name, () => designed(name, make())) };
}
