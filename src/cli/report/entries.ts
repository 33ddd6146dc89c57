/** The report's tables of cost: entry points side by side, and each of them op by op. */
import type { ManifestCost } from "../../codegen/manifest.ts";
import { bytes, flops } from "../support/format.ts";
import { bytesMoved } from "./costs.ts";
import type { ReportEntry, ReportNode, ReportOp } from "./data.ts";
import { escapeHtml, htmlTable } from "./element.ts";
import { type NpuEntry, npuSection } from "./npu.ts";

/** What a run moves, with the colour that it has in every bar. */
const kinds = [
  ["weights", "weightBytes"],
  ["caches", "cacheBytes"],
  ["activations", "activationBytes"],
] as const satisfies readonly (readonly [string, keyof ManifestCost])[];

const legend = `<p class="legend">${kinds.map(([name]) => `<span><i class="${name}"></i>${name}</span>`).join("")}</p>`;

/** @param whole entry points of a program in parts, whose parts' are `entries` */
export function entrySection(entries: readonly ReportEntry[], whole: readonly NpuEntry[] = []): string {
  return `${npuSection([...whole, ...entries])}${entryTable(entries)}${legend}
<p class="note">Costs are modelled: counted from the graph, not measured. Arithmetic counts a multiply-add as two; bytes are what one run
reads and writes when every op reads its operands from memory once. FLOP per byte tells what bounds an op: below the machine's ratio
of arithmetic to bandwidth (tens on a CPU, hundreds on an NPU) it is memory.</p>
${entries.map(entryDetails).join("\n")}`;
}

function entryTable(entries: readonly ReportEntry[]): string {
  const most = Math.max(...entries.map((e) => bytesMoved(e.cost)));
  return htmlTable(
    ["entry point", "tokens", "context", ...costHead],
    entries.map(({ name, tokens, context, cost }) => [
      ...[`<b>${escapeHtml(name)}</b>`, String(tokens), String(context)],
      ...costCells(cost, most),
    ]),
    [costHead.length + 2],
  );
}

/** Nodes that are listed at once. */
const listed = 12;

function entryDetails({ name, cost, ops, nodes }: ReportEntry): string {
  return `<details class="entry"><summary>${escapeHtml(name)}, op by op</summary>
${opTable(ops, bytesMoved(cost))}
<h3>The nodes that move the most</h3>
${nodeTable(nodes.slice(0, listed), bytesMoved(cost))}
${nodes.length > listed ? `<details><summary>all ${nodes.length} nodes</summary>${nodeTable(nodes, bytesMoved(cost))}</details>` : ""}</details>`;
}

function opTable(ops: readonly ReportOp[], total: number): string {
  const most = Math.max(...ops.map((o) => bytesMoved(o.cost)));
  return htmlTable(
    ["op", "nodes", "of all bytes", ...costHead],
    ops.map(({ name, nodes, cost }) => [
      ...[`<b>${escapeHtml(name)}</b>`, String(nodes), share(bytesMoved(cost), total)],
      ...costCells(cost, most),
    ]),
    [costHead.length + 2],
  );
}

const nodeTable = (nodes: readonly ReportNode[], total: number): string =>
  htmlTable(
    ["node", "of all bytes", "arithmetic", "bytes", "FLOP/byte", "result", "from"],
    nodes.map(({ name, type, where, cost }) => [
      `<code>${escapeHtml(name)}</code>`,
      share(bytesMoved(cost), total),
      ...[orNothing(cost.flops, flops), bytes(bytesMoved(cost)), intensity(cost)],
      `<code>${escapeHtml(type)}</code>`,
      where ? escapeHtml(where) : "",
    ]),
    [5, 6],
  );

const costHead = ["arithmetic", ...kinds.map(([name]) => name), "FLOP/byte", "bytes"];

/** One cell for each title of `costHead`. @param most bytes of the longest bar. */
const costCells = (cost: ManifestCost, most: number): string[] => [
  orNothing(cost.flops, flops),
  ...kinds.map(([, key]) => orNothing(cost[key], bytes)),
  intensity(cost),
  `<div class="bar">${kinds.map(([name, key]) => `<i class="${name}" style="width:${((100 * cost[key]) / most).toFixed(2)}%"></i>`).join("")}</div>`,
];

/** Zeros are left out, so that the eye finds the figures. */
const orNothing = (n: number, show: (n: number) => string): string => (n === 0 ? "" : show(n));

const intensity = (cost: ManifestCost): string => {
  const ratio = cost.flops / bytesMoved(cost);
  return ratio > 0 && Number.isFinite(ratio) ? ratio.toFixed(ratio < 10 ? 1 : 0) : "";
};

const share = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)}%`;
