/** Entry points of a module as QNN graphs, and what the manifest says of each. */
import { costOf } from "../ir/cost.ts";
import { HeddleError } from "../ir/error.ts";
import { bind, type Graph } from "../ir/graph.ts";
import type { EntryPoint, Module } from "../ir/program.ts";
import { staticShape } from "../ir/type.ts";
import type { Artifact, Backend, EntryPlan } from "./backend.ts";
import type { ManifestEntry, ManifestInput, ManifestOutput, PortEncoding } from "./manifest.ts";
import type { WeightTable } from "./weights.ts";

export interface CompiledEntry<Plan extends EntryPlan = EntryPlan> {
  readonly entry: EntryPoint;
  /** Bound, before legalisation. */
  readonly graph: Graph;
  readonly plan: Plan;
  /** The files of this entry point, first the one that the runtime loads. */
  readonly artifacts: readonly Artifact[];
}

/** @throws HeddleError for an op that the target cannot run, or a graph that QNN cannot hold. */
export function compileEntries<Plan extends EntryPlan>(
  { graph, entries }: Module,
  backend: Backend<Plan>,
  weights: WeightTable,
): CompiledEntry<Plan>[] {
  const twice = entries.find((e, i) => entries.findIndex((other) => other.name === e.name) < i);
  if (twice) throw new HeddleError("two entry points have this name", { subject: `entry point ${twice.name}` });
  const compiled = new Map(
    (backend.order?.(entries) ?? entries).map((entry) => {
      const bound = bind(graph, entry.bind, entry.name);
      const plan = backend.plan(backend.legalize(bound), weights);
      return [entry, { entry, graph: bound, plan, artifacts: backend.emit(plan) }];
    }),
  );
  return entries.map((entry) => compiled.get(entry)!);
}

/** Names of a language model's inputs are their roles; all others are caches. */
const roles = ["tokens", "hidden", "position", "last"] as const;

/** @param isPart of a model whose last layer is not among its own: its result is what the next part goes on from. */
export function manifestEntry({ entry, graph, plan, artifacts }: CompiledEntry, isPart = false): ManifestEntry {
  const caches = new Set(graph.state.map((s) => s.cache));
  const inputs = graph.inputs.map((n, i): ManifestInput => {
    const role = caches.has(n) ? "cache" : roles.find((r) => r === n.name);
    if (!role)
      throw new HeddleError(`input ${n.name} has no role that a session knows`, {
        subject: `entry point ${entry.name}`,
        loc: n.loc,
        hint: `inputs are ${roles.join(", ")} and caches`,
      });
    const name = plan.inputs[i]!;
    const encoding = role === "hidden" ? encodingOf(plan, name) : undefined;
    return { name, role, dtype: dtypeOf(plan, name), shape: staticShape(n.type.shape), ...(encoding && { encoding }) };
  });
  const { T, C } = entry.bind;
  const tokens = T ?? inputs.find((i) => i.role === "tokens" || i.role === "hidden")?.shape[0] ?? 1;
  return {
    name: entry.name,
    role: entry.role,
    graph: artifacts[0]!.path,
    tokens,
    context: C ?? tokens,
    inputs,
    outputs: plan.outputs.map((name) => outputOf(plan, name, isPart)),
    state: plan.state,
    cost: costOf(graph),
    ...(plan.fixedPoint && { fixedPoint: true }),
  };
}

function outputOf(plan: EntryPlan, name: string, isPart: boolean): ManifestOutput {
  const role = plan.state.some((s) => s.slice === name) ? "slice" : isPart ? "hidden" : "logits";
  const { dims } = plan.tensors.find((t) => t.name === name)!;
  const encoding = role === "slice" ? undefined : encodingOf(plan, name);
  return { name, role, dtype: dtypeOf(plan, name), shape: dims, ...(encoding && { encoding }) };
}

/** What the integers of an input or output stand for; undefined of floats. */
function encodingOf(plan: EntryPlan, name: string): PortEncoding | undefined {
  const { scale, offset } = plan.tensors.find((t) => t.name === name)!.quantize ?? {};
  return scale === undefined || offset === undefined ? undefined : { scale, offset };
}

const dtypes: Readonly<Record<string, ManifestInput["dtype"]>> = {
  FLOAT_32: "f32",
  FLOAT_16: "f16",
  INT_32: "i32",
  SFIXED_POINT_8: "i8",
  UFIXED_POINT_8: "u8",
  UFIXED_POINT_16: "u16",
};

/** A code generator may give inputs and outputs another element type than the model has. */
const dtypeOf = (plan: EntryPlan, name: string): ManifestInput["dtype"] =>
  dtypes[plan.tensors.find((t) => t.name === name)!.dataType]!;
