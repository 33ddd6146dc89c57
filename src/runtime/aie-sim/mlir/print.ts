/** Ops as text in MLIR's generic form, which tools that do not know a dialect can read as well. */
import { showEntries } from "./attribute.ts";
import type { Block, Op, Region, Value } from "./op.ts";
import { showType } from "./type.ts";

/** Ops that upstream's custom syntax leaves out at the end of a region. */
const implied: Readonly<Record<string, string>> = {
  "aie.device": "aie.end",
  "aie.runtime_sequence": "aie.end",
  "scf.for": "scf.yield",
  "scf.if": "scf.yield",
};

const typed = (values: readonly Value[]): string => values.map((v) => showType(v.type)).join(", ");

/** Lines to print in place of an op, or undefined to print the op itself. */
export type Replace = (op: Op) => readonly string[] | undefined;

/** Attributes go into the properties; tools that do not know the op read them as a dictionary as well. */
export function printOp(op: Op, indent = "", replace?: Replace): string {
  const instead = replace?.(op);
  if (instead) return instead.map((line) => `${indent}${line}`).join("\n");
  const results = op.results.filter((r) => r.name !== "%_");
  const groups = new Map<string, number>();
  for (const { name } of results) groups.set(name.split("#")[0]!, (groups.get(name.split("#")[0]!) ?? 0) + 1);
  const names = [...groups].map(([name, n]) => (n > 1 ? `${name}:${n}` : name)).join(", ");
  const head = names ? `${names} = ` : "";
  const successors = op.successors.length ? `[${op.successors.join(", ")}]` : "";
  const attrs = Object.keys(op.attrs).length ? ` <{${showEntries(op.attrs)}}>` : "";
  const regions = op.regions.length
    ? ` (${op.regions.map((r) => printRegion(r, op.name, indent, replace)).join(", ")})`
    : "";
  const type = `(${typed(op.operands)}) -> ${op.results.length === 1 ? typed(op.results) : `(${typed(op.results)})`}`;
  const operands = op.operands.map((o) => o.name).join(", ");
  return `${indent}${head}"${op.name}"(${operands})${successors}${attrs}${regions} : ${type}`;
}

function printRegion(region: Region, owner: string, indent: string, replace: Replace | undefined): string {
  if (region.length === 0) return `{\n${indent}}`;
  return `{\n${region.map((b, i) => printBlock(b, i, region, owner, indent, replace)).join("")}${indent}}`;
}

function printBlock(
  b: Block,
  i: number,
  region: Region,
  owner: string,
  indent: string,
  replace: Replace | undefined,
): string {
  const args = b.args.length ? `(${b.args.map((a) => `${a.name}: ${showType(a.type)}`).join(", ")})` : "";
  const label = b.label ?? "^bb0";
  const head = b.label || b.args.length ? `${indent}${label}${args}:\n` : "";
  const end = implied[owner];
  const missing = end && i === region.length - 1 && b.ops.at(-1)?.name !== end;
  const lines = b.ops.map((o) => `${printOp(o, `${indent}  `, replace)}\n`).join("");
  return `${head}${lines}${missing ? `${indent}  "${end}"() : () -> ()\n` : ""}`;
}
