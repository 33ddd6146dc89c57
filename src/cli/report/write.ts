/** Writes `report.html` into a build folder. */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Compiled } from "../support/compile-program.ts";
import * as text from "../support/compile-text.ts";
import { reportEntry } from "./costs.ts";
import { reportHtml } from "./html.ts";

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
    entries: manifest.entries.map((entry, i) => reportEntry(compiled.entries[i]!, entry)),
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
