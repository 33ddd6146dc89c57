/** What `npm run compile` prints: tables of passes, entry points and artifacts. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ManifestEntry } from "../../codegen/manifest.ts";
import { bytesOf } from "../../ir/type.ts";
import type { PassRecord } from "../../passes/run.ts";
import type { Compiled } from "./compile-program.ts";
import { bytes, type Column, duration, flops, table } from "./format.ts";

export const hitsOf = (p: PassRecord): number => p.hits.reduce((n, h) => n + h.count, 0);

/** `merge-qkv at layerNorm %h0.norm (graphs/models/gpt2.ts:41): norm has 3 users`. */
export const missLine = ({ rule, node, loc, reason }: PassRecord["misses"][number]): string =>
  `${rule} at ${node}${loc ? ` (${loc.file}:${loc.line})` : ""}: ${reason}`;

export function proofText({ proof }: PassRecord): string | undefined {
  if (!proof) return undefined;
  const sizes = Object.entries(proof.sizes).map(([name, size]) => `${name}=${size}`);
  if (sizes.length === 0) return "changed nothing";
  const { f64, f32 } = proof.error;
  return `proved at ${sizes.join(", ")}: differs by ${f64.toExponential(0)} in f64, ${f32.toExponential(0)} in f32`;
}

const proofColumns: readonly Column[] = [
  { title: "proved at" },
  { title: "f64 error", align: "right" },
  { title: "f32 error", align: "right" },
];

function proofCells({ proof }: PassRecord): readonly string[] {
  const sizes = Object.entries(proof?.sizes ?? {}).map(([name, size]) => `${name}=${size}`);
  if (!proof || sizes.length === 0) return ["same graph", "", ""];
  const figure = (x: number) => (x === 0 ? "0" : x.toExponential(0));
  return [sizes.join(" "), figure(proof.error.f64), figure(proof.error.f32)];
}

/** Files of the build folder with their sizes, in a fixed order. */
export const artifactsOf = (out: string): { file: string; bytes: number }[] =>
  readdirSync(out, { recursive: true, encoding: "utf8" })
    .map((file) => ({ file: file.replaceAll("\\", "/"), stat: statSync(join(out, file)) }))
    .filter(({ stat }) => stat.isFile())
    .map(({ file, stat }) => ({ file, bytes: stat.size }))
    .sort((a, b) => a.file.localeCompare(b.file));

export function passTable(passes: readonly PassRecord[]): string {
  if (passes.length === 0) return "no passes: the model is compiled as it was written\n";
  const proved = passes.some((p) => p.proof);
  return table(
    [
      { title: "pass" },
      { title: "hits", align: "right" },
      { title: "nodes", align: "right" },
      { title: "ms", align: "right" },
      { title: "left alone", align: "right" },
      ...(proved ? proofColumns : []),
    ],
    passes.map((p) => [
      p.name,
      hitsOf(p),
      `${p.nodesBefore} → ${p.nodesAfter}`,
      p.ms.toFixed(1),
      p.misses.length || "",
      ...(proved ? proofCells(p) : []),
    ]),
  );
}

/** Why rules left places alone, two lines each; equal reasons of one pass are counted together. */
export function missText(passes: readonly PassRecord[]): string {
  const lines = passes.flatMap((p) => {
    const reasons = new Map<string, { first: PassRecord["misses"][number]; count: number }>();
    for (const miss of p.misses) {
      const known = reasons.get(`${miss.rule}: ${miss.reason}`);
      if (known) known.count++;
      else reasons.set(`${miss.rule}: ${miss.reason}`, { first: miss, count: 1 });
    }
    return [...reasons.values()].map(({ first: { rule, node, loc, reason }, count }) => {
      const who = rule === p.name ? p.name : `${p.name}, rule ${rule}`;
      const where = `${node}${loc ? ` (${loc.file}:${loc.line})` : ""}${count > 1 ? ` and ${count - 1} more` : ""}`;
      return `  ${who}: ${where}\n    ${reason}\n`;
    });
  });
  return lines.length === 0 ? "" : `left alone:\n${lines.join("")}`;
}

/** What the caches of an entry point take while it is used. */
const cacheMemory = (inputs: ManifestEntry["inputs"]): number =>
  inputs.filter((i) => i.role === "cache").reduce((sum, i) => sum + bytesOf(i), 0);

export const entryTable = ({ manifest }: Compiled): string =>
  table(
    [
      { title: "entry point" },
      { title: "tokens", align: "right" },
      { title: "context", align: "right" },
      { title: "arithmetic", align: "right" },
      { title: "weights read", align: "right" },
      { title: "caches", align: "right" },
      { title: "activations", align: "right" },
      { title: "cache memory", align: "right" },
    ],
    manifest.entries.map(({ name, tokens, context, cost, inputs }) => [
      name,
      tokens,
      context,
      flops(cost.flops),
      bytes(cost.weightBytes),
      bytes(cost.cacheBytes),
      bytes(cost.activationBytes),
      bytes(cacheMemory(inputs)),
    ]),
  );

/** Parts of a program that was cut; nothing for one that was not. */
export function partTable({ parts }: Compiled): string {
  if (parts.length === 0) return "";
  const rows = parts.map(({ folder, scopes, manifest: { weights, entries } }) => [
    folder,
    scopes,
    bytes(weights.bytes),
    bytes(cacheMemory(entries.at(-1)!.inputs)),
  ]);
  const columns = [
    { title: "part" },
    { title: "layers" },
    { title: "weights", align: "right" as const },
    { title: "cache memory", align: "right" as const },
  ];
  return `${table(columns, rows)}\n`;
}

/** Artifacts, one line per kind: graphs and dumps are many. */
export function artifactTable(out: string): string {
  const groups = new Map<string, { files: number; bytes: number }>();
  for (const { file, bytes: size } of artifactsOf(out)) {
    const group = file.replace(/(^|\/)[^/]*(\.qnn\.json|\.ir)$/, "$1*$2");
    const known = groups.get(group) ?? { files: 0, bytes: 0 };
    groups.set(group, { files: known.files + 1, bytes: known.bytes + size });
  }
  return table(
    [{ title: "artifact" }, { title: "files", align: "right" }, { title: "size", align: "right" }],
    [...groups].map(([group, g]) => [join(out, group), g.files, bytes(g.bytes)]),
  );
}

export const timeLine = ({ times, weightsReused, contextCached }: Compiled): string => {
  const total = Object.values(times).reduce((a, b) => a + b, 0);
  const weights = weightsReused ? "weights unchanged" : `weights ${duration(times.weights)}`;
  const context =
    contextCached === undefined
      ? ""
      : `, Qualcomm's compiler ${contextCached ? `not needed: nothing changed (${duration(times.finish)})` : duration(times.finish)}`;
  return `compiled in ${duration(total)}: graph file ${duration(times.load)}, passes ${duration(times.passes)}, code generation ${duration(times.codegen)}, ${weights}${context}`;
};
