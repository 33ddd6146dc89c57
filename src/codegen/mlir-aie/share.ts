/**
 * Which kernels of an entry point share the array. Going from one design to another takes as long as several layers of a small model,
 * so products come together in one that serves all their sizes, and attention goes beside them, on rows of its own, where the time
 * model says that fewer cores for each cost less than the reloads.
 */
import type { AieMachine } from "../../targets/aie-machine.ts";
import { memoryBound } from "./cost.ts";
import type { Design } from "./design.ts";
import { emit } from "./emit.ts";
import type { AieKernel, DesignedKernel, KernelPart } from "./kernel.ts";
import { attentionOf } from "./kernels/attention-design.ts";
import { attentionFamilyOf, planAttentions } from "./kernels/attention-family.ts";
import { besideAttention } from "./kernels/band.ts";
import { coresBound } from "./kernels/gemm-cost.ts";
import { familyOf, planFamily } from "./kernels/gemm-family.ts";
import { gemmKernel } from "./kernels/linear.ts";
import { batches } from "./kernels/sequence.ts";
import { type KernelPlan, showDesign } from "./plan.ts";

/** Kernels in one design: what a run of each takes, and the design once it is wanted. */
interface Group {
  readonly seconds: ReadonlyMap<string, number>;
  /** Whether the design is made for this entry point, and named after it. */
  readonly isNew: boolean;
  make(name: string): ReadonlyMap<string, DesignedKernel>;
}

/** Kinds that cores may have: each adds up to 3 or 5 KB of code to 6 to 8, by the simulator's estimate, and they have 16. */
const mostKinds = { products: 4, attention: 2 } as const;

/** A kernel of the entry point, and how often a run has it. */
interface Use {
  readonly kernel: AieKernel;
  readonly runs: number;
}
type Part<P> = Use & { readonly part: Extract<KernelPart, P> };
type Product = Part<{ readonly product: unknown }>;
type Attention = Part<{ readonly attention: unknown }>;

/**
 * Puts the kernels of a run into designs, so that the run takes the least time by the model, loads of designs included.
 * @param entry names a design that several kernels share. @param runs the kernels in the order in which they run.
 * @param known kernels that other entry points have: a design that has all products of a kind serves them here as well.
 * @returns by name, every kernel in its design.
 */
export function share(
  machine: AieMachine,
  entry: string,
  runs: readonly AieKernel[],
  known: ReadonlyMap<string, DesignedKernel> = new Map(),
): Map<string, DesignedKernel> {
  const names = runs.map((k) => k.name);
  const uses = [...new Map(runs.map((kernel) => [kernel.name, kernel])).values()].map(
    (kernel): Use => ({ kernel, runs: names.filter((n) => n === kernel.name).length }),
  );
  const timed = (groups: Group[]) => ({ groups, seconds: secondsOf(machine, groups, names) });
  const layouts = layoutsOf(machine, uses, known).map(timed);
  // To plan every kernel for itself takes long; where even what cores and main memory allow is slower, nobody asks for it.
  const least = secondsOf(
    machine,
    uses.map((u) => atLeast(machine, u)),
    names,
  );
  if (layouts.every(({ seconds }) => seconds > least)) layouts.push(timed(uses.map(alone)));
  const best = layouts.reduce((a, b) => (b.seconds < a.seconds ? b : a)).groups;
  const symbol = entry.toLowerCase().replace(/[^a-z0-9_]/g, "_");
  const several = best.filter(({ isNew }) => isNew).length > 1;
  const made = best.map((group, i) => group.make(several ? `${symbol}_design_${i}` : symbol));
  return new Map(made.flatMap((kernels) => [...kernels]));
}

/** What the kernels of a run take, each with its dispatch, and the loading of a design wherever the next kernel is in another. */
function secondsOf(machine: AieMachine, groups: readonly Pick<Group, "seconds">[], names: readonly string[]): number {
  const groupOf = (name: string | undefined) => groups.find(({ seconds }) => seconds.has(name!));
  return names.reduce((sum, name, i) => {
    const group = groupOf(name)!;
    const load = group === groupOf(names[i - 1]) ? 0 : machine.reconfigurationSeconds;
    return sum + group.seconds.get(name)! + load;
  }, 0);
}

/** Ways to put the kernels into designs: products of a kind together, and besides that attention on rows beside the most used ones. */
function layoutsOf(machine: AieMachine, uses: readonly Use[], known: ReadonlyMap<string, DesignedKernel>): Group[][] {
  const products = uses.flatMap(({ kernel, runs }): Product[] =>
    kernel.part && "product" in kernel.part ? [{ kernel, runs, part: kernel.part }] : [],
  );
  const attentions = uses.flatMap(({ kernel, runs }): Attention[] =>
    kernel.part && "attention" in kernel.part ? [{ kernel, runs, part: kernel.part }] : [],
  );
  const families = byFamily(products, ({ part }) => familyOf(machine, part.product));
  const heads = byFamily(attentions, ({ part }) => attentionFamilyOf(part.attention)).flatMap((f) =>
    batches(f.length, mostKinds.attention).map((n, i) => f.slice(mostKinds.attention * i, mostKinds.attention * i + n)),
  );
  /** Groups for what is not in one yet: the other families together where they can be, all else alone. */
  const rest = (taken: readonly Group[]): Group[] => {
    const isFree = ({ kernel }: Use) => !taken.some(({ seconds }) => seconds.has(kernel.name));
    const shared = [
      ...families.map((f) => ({ products: f, attentions: [] })),
      ...heads.map((f) => ({ products: [], attentions: f })),
    ].flatMap((f): Group[] => {
      const all = [...f.products, ...f.attentions];
      if (!all.every(isFree)) return [];
      return elsewhere(all, known) ?? (all.length > 1 ? together(machine, f) : undefined) ?? [];
    });
    const inOne = new Set(shared.flatMap(({ seconds }) => [...seconds.keys()]));
    return [...taken, ...shared, ...uses.filter((u) => isFree(u) && !inOne.has(u.kernel.name)).map(alone)];
  };
  const [[family], [head]] = [families, heads];
  const beside = family && head ? together(machine, { products: family, attentions: head }) : undefined;
  return [rest([]), ...(beside ? [rest(beside)] : [])];
}

/** Those that are used most come first. */
function byFamily<U extends Use>(uses: readonly U[], keyOf: (u: U) => string): U[][] {
  const families = new Map<string, U[]>();
  for (const u of uses) families.set(keyOf(u), [...(families.get(keyOf(u)) ?? []), u]);
  const sorted = [...families.values()].map((f) => f.sort((a, b) => b.runs - a.runs));
  return sorted.sort((a, b) => countOf(b) - countOf(a));
}

const countOf = (uses: readonly Use[]): number => uses.reduce((sum, { runs }) => sum + runs, 0);

/** Kernels that are in one design of another entry point. */
function elsewhere(uses: readonly Use[], known: ReadonlyMap<string, DesignedKernel>): Group[] | undefined {
  const found = uses.flatMap(({ kernel }) => known.get(kernel.name) ?? []);
  if (found.length < uses.length || new Set(found.map((k) => k.design)).size > 1) return undefined;
  const kernels = new Map(uses.map(({ kernel }, i) => [kernel.name, found[i]!]));
  const seconds = new Map([...kernels].map(([name, k]) => [name, k.seconds ?? 0]));
  return [{ seconds, isNew: false, make: () => kernels }];
}

const alone = ({ kernel }: Use): Group => {
  const designed = kernel.alone();
  return {
    seconds: new Map([[kernel.name, designed.seconds ?? 0]]),
    isNew: false,
    make: () => new Map([[kernel.name, designed]]),
  };
};

/** A kernel with a design for itself that is as fast as cores and main memory allow, where that is known. */
function atLeast(machine: AieMachine, use: Use): Pick<Group, "seconds"> {
  const { name, part } = use.kernel;
  if (!part || !("product" in part)) return alone(use);
  const { m, k, n } = part.product;
  const rate = Math.min(memoryBound(machine, part.product), coresBound(machine, part.product));
  return { seconds: new Map([[name, (2 * m * k * n) / rate + machine.dispatchSeconds]]) };
}

/** Products on the same cores, and attention on the same cores, beside products if there are some: one group, or none where that does not fit. */
function together(
  machine: AieMachine,
  { products, attentions }: { readonly products: readonly Product[]; readonly attentions: readonly Attention[] },
): Group[] | undefined {
  const isBeside = products.length > 0 && attentions.length > 0;
  const beside = isBeside ? besideAttention(machine) : undefined;
  if (isBeside && !beside) return undefined;
  const own = beside?.machine ?? machine;
  const members = products.map(({ part, runs }) => ({ shape: part.product, runs }));
  const tiles = members.length ? planFamily(own, members) : [];
  const seen = attentions.map(({ part, runs }) => ({ shape: part.attention, runs }));
  const heads = seen.length ? planAttentions(machine, seen, beside?.band) : [];
  if (!tiles || !heads || (tiles[0]?.kinds.length ?? 0) > mostKinds.products) return undefined;
  const costs = [...tiles, ...heads].map(({ cost }) => cost.seconds);
  const seconds = new Map([...products, ...attentions].map(({ kernel }, i) => [kernel.name, costs[i]!]));
  const as = ({ kernel, part }: Product | Attention) => ({ name: kernel.name, about: part.about });
  const make = (name: string) => {
    const kernels = [
      ...products.map((p, i) => gemmKernel(own, tiles[i]!, as(p))),
      ...attentions.map((a, i) => attentionOf(machine, heads[i]!, as(a))),
    ];
    const design = merged(name, kernels);
    const file = { name, text: emit(design), plan: showDesign(design, kernels) };
    return new Map(kernels.map((k) => [k.name, { design: file, seconds: k.cost.seconds, buffers: k.buffers }]));
  };
  return [{ seconds, isNew: true, make }];
}

/** One configuration of what kernels have in common or have on tiles of their own, with the runs of all. */
function merged(name: string, kernels: readonly KernelPlan[]): Design {
  const designs = kernels.map((k) => k.design);
  const all = <T>(of: (d: Design) => readonly T[], key: (t: T) => string): T[] => [
    ...new Map(designs.flatMap(of).map((t) => [key(t), t])).values(),
  ];
  return {
    name,
    about: designs.flatMap((d, i) => [...(i ? [""] : []), `kernel ${kernels[i]!.name}`, ...d.about]),
    device: designs[0]!.device,
    fifos: all(
      (d) => d.fifos,
      (f) => f.name,
    ),
    links: all(
      (d) => d.links,
      (l) => String(l.to),
    ),
    cores: all(
      (d) => d.cores,
      ({ tile }) => `${tile.col} ${tile.row}`,
    ),
    runs: designs.flatMap((d) => d.runs),
  };
}
