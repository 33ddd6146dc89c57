/**
 * Code generation for an AIE array: the ops that its support table names become designs, everything else graphs for the
 * reference backend, and one steps file per entry point says in which order they run and what they hand on.
 */
import { HeddleError, showLoc } from "../../ir/error.ts";
import { type Graph, graph as makeGraph } from "../../ir/graph.ts";
import { describe, type Node } from "../../ir/node.ts";
import { resolveAxis } from "../../ir/ops/support/axis.ts";
import { nodeNames } from "../../ir/print.ts";
import { elements, showType, staticShape } from "../../ir/type.ts";
import type { AieMachine } from "../../targets/aie-machine.ts";
import type { Artifact, Backend, EntryPlan } from "../backend.ts";
import { legalize } from "../legalize.ts";
import { type QnnPlan, qnnReference } from "../qnn/index.ts";
import { simplifications } from "../simplify.ts";
import { findStatic } from "../statics.ts";
import type { SupportTable } from "../support.ts";
import type { WeightTable } from "../weights.ts";
import { buildScript, buildScriptPath } from "./build-script.ts";
import type { AieBuffer, AieKernel, AieLowering, DesignedKernel } from "./kernel.ts";
import { type KernelStep, type Partition, partition } from "./partition.ts";
import { share } from "./share.ts";
import { type KernelEntry, type StepBuffer, type StepsFile, type StepValue, showSteps } from "./steps.ts";

export interface ArrayPlan extends EntryPlan {
  readonly steps: StepsFile;
  readonly hosts: readonly QnnPlan[];
  /** By name. */
  readonly kernels: ReadonlyMap<string, DesignedKernel>;
  readonly declined: Partition["declined"];
  readonly modelled: string;
}

export const designPath = (design: string): string => `mlir-aie/${design}.mlir`;

export function arrayBackend(machine: AieMachine, support: SupportTable<AieLowering>): Backend<ArrayPlan> {
  return {
    name: machine.name,
    // The last row of a prompt has the products of a token: it is planned behind it, and before the token of a longer context.
    order: (entries) =>
      [...entries].sort((a, b) => (a.bind.C ?? 0) - (b.bind.C ?? 0) || (a.bind.T ?? 0) - (b.bind.T ?? 0)),
    legalize: (g) => ({
      graph: legalize(g, { target: machine.name, support, rules: simplifications }),
      caches: [],
    }),
    plan: ({ graph }, weights) => planArray(graph, machine, support, weights),
    show: showArrayPlan,
    emit: emitArray,
  };
}

/** Kernels of the entry points of a program that were planned before, by what they have in common. */
const designed = new WeakMap<WeightTable, Map<string, DesignedKernel>>();

function planArray(g: Graph, machine: AieMachine, support: SupportTable<AieLowering>, weights: WeightTable): ArrayPlan {
  const { steps, declined } = partition(g, support, machine);
  const names = nodeNames(g);
  const caches = new Map(g.state.map((s) => [s.next, s.cache]));
  const nameOf = (n: Node): string => names.get(caches.get(n) ?? n)!;
  const known = findStatic(g);
  const ports = new Set([...g.inputs, ...g.outputs].map(nameOf));
  const values = new Map<string, StepValue>();
  const value = (n: Node): string => {
    const name = nameOf(n);
    if (!ports.has(name)) values.set(name, { name, dtype: hostType(n), shape: staticShape(n.type.shape) });
    return name;
  };

  const hosts: QnnPlan[] = [];
  const runs = steps.flatMap((s) => (s.kind === "kernel" ? [s.kernel] : []));
  const before = designed.get(weights) ?? new Map<string, DesignedKernel>();
  designed.set(weights, before);
  const kernels = share(machine, g.name, runs, before);
  for (const [name, kernel] of kernels) before.set(name, kernel);
  const entries = steps.map((step) => {
    if (step.kind === "kernel") {
      return kernelEntry(step, kernels.get(step.kernel.name)!, known, value, weights);
    }
    const named = makeGraph(`${g.name}.${hosts.length}`, step.graph);
    const plan = qnnReference.plan(qnnReference.legalize(named), weights);
    hosts.push(plan);
    const pairs = (tensors: readonly string[], nodes: readonly Node[]) =>
      tensors.map((tensor, i) => ({ tensor, value: value(nodes[i]!) }));
    return {
      kind: "host",
      graph: qnnReference.emit(plan)[0]!.path,
      inputs: pairs(plan.inputs, step.inputs),
      outputs: pairs(plan.outputs, step.outputs),
    } as const;
  });
  return {
    graph: g.name,
    inputs: g.inputs.map(nameOf),
    outputs: g.outputs.map(nameOf),
    tensors: [...g.inputs, ...g.outputs].map((n) => ({
      name: nameOf(n),
      dataType: hostType(n) === "i32" ? "INT_32" : "FLOAT_32",
      dims: staticShape(n.type.shape),
    })),
    state: g.state.map(({ cache, next }) => ({
      cache: nameOf(cache),
      axis: resolveAxis(next.attrs.axis as number, next.type.shape),
      mode: "in-place",
    })),
    steps: {
      format: "heddle.steps/1",
      graph: g.name,
      device: machine.device,
      values: [...values.values()],
      kernels: [...kernels].map(([name, { design }]) => ({ name, file: designPath(design.name) })),
      steps: entries,
    },
    hosts,
    kernels,
    declined,
    modelled: modelledTime(
      machine,
      runs.map((k) => kernels.get(k.name)!),
    ),
  };
}

/** What the array takes for one run: its kernels, a dispatch for each, and the loading of a design wherever the next kernel is in another. */
function modelledTime(machine: AieMachine, runs: readonly DesignedKernel[]): string {
  const ms = (seconds: number) => `${(seconds * 1e3).toFixed(2)} ms`;
  const dispatches = runs.length * machine.dispatchSeconds;
  const work = runs.reduce((sum, k) => sum + (k.seconds ?? 0), 0) - dispatches;
  const changes = (last?: DesignedKernel) =>
    runs.filter(({ design }, i) => design !== (i ? runs[i - 1] : last)?.design).length;
  const [first, again] = [changes(), changes(runs.at(-1))];
  const rest = first === again ? "" : `, of them ${again} in a run that follows one of its own`;
  return `modelled: ${runs.length} runs of kernels ${ms(work)}, their dispatches ${ms(dispatches)}, ${first} ${first === 1 ? "load of a design" : "loads of another design"} ${ms(first * machine.reconfigurationSeconds)}${rest}; the host's steps come on top`;
}

/** Element type of a value on the host. @throws HeddleError for one that only exists within a kernel. */
function hostType(n: Node): StepValue["dtype"] {
  const { dtype } = n.type;
  if (dtype === "f32" || dtype === "i32" || dtype === "bool") return dtype;
  throw new HeddleError(`a value between steps is f32, i32 or bool, not ${showType(n.type)}`, {
    subject: describe(n),
    loc: n.loc,
    hint: "compile for this target with f32 activations",
  });
}

function kernelEntry(
  { kernel, operands, result }: KernelStep,
  { buffers: given }: DesignedKernel,
  known: ReadonlySet<Node>,
  value: (n: Node) => string,
  weights: WeightTable,
): KernelEntry {
  const { dress = (b: AieBuffer) => b } = kernel;
  const buffers = given.map(dress).map((b): StepBuffer => {
    const { dtype, shape } = b;
    const held = b.holds === "result" ? result : operands[b.holds]!;
    if (!known.has(held)) {
      if (!b.tiling) checkFit(kernel, b, held);
      const direction = b.holds === "result" ? "out" : "in";
      const valueShape = staticShape(held.type.shape);
      return {
        value: value(held),
        valueShape,
        direction,
        dtype,
        shape,
        ...(b.tiling && { tiling: b.tiling }),
        ...(b.fixed && { fixed: b.fixed }),
        ...(b.behind && { behind: b.behind }),
      };
    }
    const packed = b.pack ? b.pack(held) : held;
    const fits = packed.type.dtype === dtype && String(packed.type.shape) === String(shape);
    if (!fits) throw fault(kernel, held, `packs a weight as ${showType(packed.type)} for a buffer ${dtype}[${shape}]`);
    const { offset, bytes } = weights.add(packed);
    return { weights: { offset, bytes }, dtype, shape };
  });
  return {
    kind: "kernel",
    kernel: kernel.name,
    op: describe(result),
    ...(result.loc && { loc: showLoc(result.loc) }),
    buffers,
  };
}

/** A value lies in a buffer of as many elements, or of the same rank and no axis shorter. */
function checkFit(kernel: AieKernel, { shape }: AieBuffer, held: Node): void {
  const own = staticShape(held.type.shape);
  const isSame = elements(shape) === elements(own);
  const isPadded = own.length === shape.length && own.every((d, i) => d <= shape[i]!);
  if (!isSame && !isPadded) throw fault(kernel, held, `has a buffer [${shape}] for a value [${own}]`);
}

const fault = (kernel: AieKernel, n: Node, reason: string): HeddleError =>
  new HeddleError(`kernel ${kernel.name} ${reason}; this is a fault of Heddle itself`, {
    subject: describe(n),
    loc: n.loc,
  });

/** A line per step: what runs where on what, and why the rest does not run on the array. */
function showArrayPlan({ steps, declined, modelled }: ArrayPlan): string {
  const buffer = (b: StepBuffer): string =>
    `${"weights" in b ? `weights@${b.weights.offset}` : b.value} ${"fixed" in b && b.fixed?.dtype === "u16" ? "u16 as " : ""}${b.dtype}[${b.shape.join("x")}]`;
  const fileOf = new Map(steps.kernels.map((k) => [k.name, k.file]));
  return `${[
    `steps ${steps.graph} on ${steps.device}`,
    ...(steps.kernels.length ? [`  ${modelled}`] : []),
    ...steps.steps.map((s) =>
      s.kind === "host"
        ? `  host   ${s.graph}(${s.inputs.map((p) => p.value).join(", ")}) -> ${s.outputs.map((p) => p.value).join(", ")}`
        : `  kernel ${s.kernel}(${s.buffers.map(buffer).join(", ")}) of ${fileOf.get(s.kernel)}`,
    ),
    ...declined.map(({ node, reason }) => `  on the host: ${describe(node)}: ${reason}`),
  ].join("\n")}\n`;
}

function emitArray(plan: ArrayPlan): readonly Artifact[] {
  const designs = new Set([...plan.kernels.values()].map((k) => k.design));
  return [
    { path: `mlir-aie/${plan.graph}.steps.json`, text: showSteps(plan.steps) },
    { path: `mlir-aie/${plan.graph}.steps.txt`, text: showArrayPlan(plan) },
    ...plan.hosts.flatMap(qnnReference.emit),
    ...[...designs].map((d) => ({ path: designPath(d.name), text: d.text })),
    ...[...designs].flatMap((d) => (d.plan ? [{ path: `mlir-aie/${d.name}.plan`, text: d.plan }] : [])),
    { path: buildScriptPath, text: buildScript },
  ];
}
