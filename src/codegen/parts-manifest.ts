/** The manifest.json of a program that was compiled in parts: each part is a build folder of its own inside the program's. */
import Ajv from "ajv";
import { HeddleError } from "../ir/error.ts";
import { type Manifest, type ManifestCost, type ManifestEntry, manifestSchema } from "./manifest.ts";
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

const matches = new Ajv.default({ strict: true, strictTypes: false, strictRequired: false })
  .addSchema(manifestSchema)
  .compile<PartsManifest>(schema);

export const isInParts = (content: unknown): boolean =>
  typeof content === "object" && content !== null && (content as { format?: unknown }).format === "heddle.parts/1";

/** @throws HeddleError naming the field that is missing, unknown or of the wrong kind. */
export function checkPartsManifest(content: unknown, subject = "manifest.json"): asserts content is PartsManifest {
  if (matches(content)) return;
  const { instancePath, message } = matches.errors![0]!;
  throw new HeddleError(`${instancePath || "/"} ${message}`, { subject, hint: "compile the program again" });
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
    const show = (p: typeof given | typeof wanted) => (p ? `${p.dtype}[${p.shape}]` : "nothing");
    if (show(given) !== show(wanted))
      refuse(`part ${i + 1} goes on from ${show(wanted)}, and the part before it leaves ${show(given)}`);
  }
  const ports = chain.flatMap((e) => e.inputs.filter((p) => p.role !== "hidden"));
  return {
    ...chain[0]!,
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
