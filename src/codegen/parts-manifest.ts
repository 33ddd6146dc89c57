/** The manifest.json of a program that was compiled in parts: each part is a build folder of its own inside the program's. */
import { HeddleError } from "../ir/error.ts";
import { schemaCheck } from "../ir/schema.ts";
import {
  type Manifest,
  type ManifestCost,
  type ManifestEntry,
  type ManifestNpu,
  manifestSchema,
  type PortEncoding,
} from "./manifest.ts";
import schema from "./parts-manifest.schema.json" with { type: "json" };

export interface PartsManifest extends Omit<Manifest, "format" | "weights" | "entries" | "context"> {
  readonly format: "heddle.parts/1";
  /** In the order in which they run: each but the first goes on from what the one before it leaves. */
  readonly parts: readonly {
    /** Relative to the program's folder. */
    readonly folder: string;
    /** The layers in it: `h0-h8`. */
    readonly scopes: string;
  }[];
}

/** What is known of a program, whether it is one build or several parts. */
export interface ProgramManifest extends Omit<Manifest, "format" | "weights" | "context"> {
  readonly weights: Pick<Manifest["weights"], "source" | "bytes">;
}

const mistakesIn = schemaCheck(schema, { others: [manifestSchema] });

export const isInParts = (content: unknown): boolean =>
  typeof content === "object" && content !== null && (content as { format?: unknown }).format === "heddle.parts/1";

/** @throws HeddleError naming the field that is missing, unknown or of the wrong kind. */
export function checkPartsManifest(content: unknown, subject = "manifest.json"): asserts content is PartsManifest {
  const [mistake] = mistakesIn(content);
  if (!mistake) return;
  throw new HeddleError(mistake.says, { subject, hint: "compile the program again" });
}

/**
 * The parts as one program: entry points that take tokens and yield logits, with the caches of all parts.
 * @throws HeddleError about `subject` where a part does not go on from what the one before it leaves.
 */
export function joinParts(
  { parts: _, format: __, ...rest }: PartsManifest,
  parts: readonly Manifest[],
  subject = "manifest.json",
): ProgramManifest {
  const [first] = parts;
  return {
    ...rest,
    weights: { source: first!.weights.source, bytes: parts.reduce((sum, p) => sum + p.weights.bytes, 0) },
    entries: first!.entries.map(({ name }) => joinEntries(name, parts, subject)),
  };
}

function joinEntries(name: string, parts: readonly Manifest[], subject: string): ManifestEntry {
  const refuse = (reason: string): never => {
    throw new HeddleError(reason, { subject: `${subject}, entry point ${name}`, hint: "compile the program again" });
  };
  const chain = parts.map((p, i) => p.entries.find((e) => e.name === name) ?? refuse(`part ${i + 1} has none`));
  for (const [i, { inputs }] of chain.entries()) {
    const given = chain[i - 1]?.outputs.find((p) => p.role === "hidden");
    const wanted = inputs.find((p) => p.role === "hidden");
    const steps = (e: PortEncoding | undefined) => (e ? ` in steps of ${e.scale} from ${e.offset}` : "");
    const show = (p: typeof given | typeof wanted) => (p ? `${p.dtype}[${p.shape}]${steps(p.encoding)}` : "nothing");
    if (show(given) !== show(wanted))
      refuse(`part ${i + 1} goes on from ${show(wanted)}, and the part before it leaves ${show(given)}`);
  }
  const ports = chain.flatMap((e) => e.inputs.filter((p) => p.role !== "hidden"));
  const { npu: _, fixedPoint: __, ...first } = chain[0]!;
  const npu = joinNpu(chain.map((e) => e.npu));
  return {
    ...first,
    ...(chain.every((e) => e.fixedPoint) && { fixedPoint: true }),
    ...(npu && { npu }),
    inputs: ports.filter((p, i) => ports.findIndex((other) => other.name === p.name) === i),
    outputs: chain.flatMap((e) => e.outputs.filter((p) => p.role !== "hidden")),
    state: chain.flatMap((e) => e.state),
    cost: chain.map((e) => e.cost).reduce(plus),
  };
}

const plus = (a: ManifestCost, b: ManifestCost): ManifestCost => ({
  flops: a.flops + b.flops,
  weightBytes: a.weightBytes + b.weightBytes,
  activationBytes: a.activationBytes + b.activationBytes,
  cacheBytes: a.cacheBytes + b.cacheBytes,
});

/** Parts run one after the other: what they take adds up. Undefined where it is not known of all of them. */
export function joinNpu(parts: readonly (ManifestNpu | undefined)[]): ManifestNpu | undefined {
  const known = parts.flatMap((p) => p ?? []);
  if (known.length === 0 || known.length < parts.length) return undefined;
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const ddr = known.flatMap((p) => p.ddr ?? []);
  const times = known.flatMap((p) => p.simulated ?? []);
  const us = sum(times.map((t) => t.us));
  // Of each part the time that its bytes take at the least: all are read at the same rate.
  const least = sum(times.map((t) => t.shareOfBound * t.us));
  return {
    finalizeMs: { value: sum(known.map((p) => p.finalizeMs.value)), source: "measured" },
    ...(ddr.length === known.length && {
      ddr: {
        read: sum(ddr.map((d) => d.read)),
        written: sum(ddr.map((d) => d.written)),
        spilled: sum(ddr.map((d) => d.spilled)),
        filled: sum(ddr.map((d) => d.filled)),
        source: "vendor-simulated",
      },
    }),
    ...(times.length === known.length && {
      simulated: {
        soc: times[0]!.soc,
        us,
        usLower: sum(times.map((t) => t.usLower)),
        usUpper: sum(times.map((t) => t.usUpper)),
        cycles: sum(times.map((t) => t.cycles)),
        boundBytes: sum(times.map((t) => t.boundBytes)),
        shareOfBound: us > 0 ? least / us : 1,
        uncosted: times.flatMap((t) => t.uncosted),
        source: "vendor-simulated",
      },
    }),
  };
}
