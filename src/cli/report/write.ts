/** Writes `report.html` into a build folder. */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Compiled } from "../support/compile-program.ts";
import * as text from "../support/compile-text.ts";
import { reportEntry } from "./costs.ts";
import type { ReportEntry } from "./data.ts";
import { reportHtml } from "./html.ts";

/** The entry points; of a program in parts those of every part. */
const entriesOf = ({ manifest, entries, parts }: Compiled): ReportEntry[] =>
  parts.length === 0
    ? manifest.entries.map((entry, i) => reportEntry(entries[i]!, entry))
    : parts.flatMap((p) =>
        p.manifest.entries.map((e, i) => reportEntry(p.entries[i]!, { ...e, name: `${p.folder}/${e.name}` })),
      );

/** After everything else, because it lists everything else. */
export function writeReport(compiled: Compiled): void {
  const { manifest, out, model, passes, dumps } = compiled;
  const html = reportHtml({
    program: manifest.program,
    model,
    target: manifest.target,
    precision: `${manifest.precision} weights`,
    weights: manifest.weights.source,
    passes: passes.map((p) => {
      const { name, doc, nodesBefore, nodesAfter, ms } = p;
      const proof = text.proofText(p);
      const words = { misses: p.misses.map(text.missLine), ...(proof !== undefined && { proof }) };
      return { name, doc, nodesBefore, nodesAfter, ms, hits: text.hitsOf(p), ...words };
    }),
    dumps,
    entries: entriesOf(compiled),
    ...(compiled.parts.length > 0 && {
      whole: manifest.entries.map(({ name, npu }) => ({ name, ...(npu && { npu }) })),
    }),
    artifacts: text.artifactsOf(out),
  });
  const path = join(out, "report.html");
  try {
    writeFileSync(`${path}.tmp`, html);
    renameSync(`${path}.tmp`, path);
  } finally {
    rmSync(`${path}.tmp`, { force: true });
  }
}
