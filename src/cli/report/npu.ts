/** The report's table of what Qualcomm's compiler and simulator say of each entry point. */
import { bytes, duration } from "../support/format.ts";
import type { ReportEntry } from "./data.ts";
import { escapeHtml, htmlTable } from "./element.ts";

/** What is known of the NPU about an entry point, of one build or of all parts of a program. */
export type NpuEntry = Pick<ReportEntry, "name" | "npu">;

/** Nothing for a build without a context binary. */
export function npuSection(entries: readonly NpuEntry[]): string {
  const known = entries.flatMap((e) => (e.npu ? [{ name: e.name, npu: e.npu }] : []));
  if (known.length === 0) return "";
  const rows = known.map(({ name, npu: { ddr, simulated, finalizeMs } }) => [
    `<b>${escapeHtml(name)}</b>`,
    ...(ddr ? [ddr.read, ddr.written, ddr.spilled].map(bytes) : ["", "", ""]),
    ...(simulated ? [duration(simulated.us / 1000), `${(100 * simulated.shareOfBound).toFixed(0)}%`] : ["", ""]),
    duration(finalizeMs.value),
  ]);
  return `<h3>On the NPU</h3>
${htmlTable(["entry point", "DDR read", "written", "spilled", "time", "of DDR bound", "compiled in"], rows)}
<p class="note">Bytes and times are vendor-simulated, by Qualcomm's compiler and its model of a SoC of the same architecture; compile
times are measured. The bound is the time to read the weights and the caches once at the simulated DDR rate.</p>`;
}
