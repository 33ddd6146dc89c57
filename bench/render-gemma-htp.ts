/** The table of suite gemma-htp. */
import type { Row } from "./record.ts";
import { gemmaHtpBuilds } from "./suites/gemma-htp.ts";
import { type Cell, number, percent, table } from "./tables.ts";

export function renderGemmaHtp(rows: readonly Row[]): string {
  const lines = gemmaHtpBuilds.flatMap(({ label, precision }) =>
    ["decode", "prefill"].flatMap((role): Cell[][] => {
      const at = (metric: string) =>
        rows.find((r) => r.program === label && r.precision === precision && r.metric === `${role} ${metric}`)?.value;
      const [step, read] = [at("step"), at("DDR read")];
      if (step === undefined || read === undefined) return [];
      return [
        [
          `${label}, ${precision}, ${role}`,
          number(step / 1000, 2),
          number(read / 1e6, 1),
          percent(at("share of bound")),
        ],
      ];
    }),
  );
  const versions = [...new Set(rows.map((r) => r.version))];
  return [
    "## Gemma 3 on Snapdragon X Elite's NPU",
    `All \`vendor-simulated\` on ${rows[0]!.device}; versions ${versions.join(", ")}. Context 256; prefill is a chunk of 128 tokens. The simulator has no cost for RmsNorm and leaves it out; written out in ops ` +
      "that have costs, norms add 0.2% to a decode step of six layers (docs/qualcomm.md).",
    table(["what", "ms", "DDR read MB", "of bound"], lines),
  ].join("\n\n");
}
