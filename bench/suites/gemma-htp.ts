/**
 * Gemma 3 on Snapdragon X Elite's NPU by Qualcomm's simulator: 270M with its own weights where they are there (`npm run setup:gemma`), because a
 * quantised program balances its residual stream only where channels stand out; 1B with made-up ones. Of 1B in f16, whose compilation
 * wants more memory than most machines have, a period of six layers, five with a window and one without.
 */
import { existsSync } from "node:fs";
import type { Precision } from "../../src/codegen/precision.ts";
import { boundBytes, finalizeLevel, prepareContext } from "../../src/htp/index.ts";
import { loadTarget } from "../../src/targets/target.ts";
import { compileTo, type SuiteContext } from "../harness.ts";
import type { Row } from "../record.ts";

const target = "x-elite";
const device = "SoC 52 (HTP v73, 8 MB VTCM) on Qualcomm's x86-64 simulator";
const context = 256;

const weights = existsSync(".gemma") ? ["--weights", ".gemma"] : [];

/** What is costed: all of 270M, and 1B whole or in part. */
export const gemmaHtpBuilds: readonly (readonly [
  label: string,
  program: string,
  precision: Precision,
  ...options: string[],
])[] = [
  ["270M", "gemma3-270m", "f16", ...weights],
  ["270M", "gemma3-270m", "w8a16", ...weights],
  ["270M", "gemma3-270m", "w4a16", ...weights],
  ["1B, layers 6-11", "gemma3-1b", "f16", "--layers", "6-11"],
  ["1B", "gemma3-1b", "w8a16"],
  ["1B", "gemma3-1b", "w4a16"],
];

export async function gemmaHtp({ row, say, only }: SuiteContext): Promise<Row[]> {
  const rate = loadTarget(target).memoryRate.value;
  const rows: Row[] = [];
  for (const [label, program, precision, ...options] of gemmaHtpBuilds.filter(([, p]) => only(p))) {
    const build = await compileTo(
      program,
      precision,
      "--target",
      target,
      "--no-context",
      "--contexts",
      `${context}`,
      ...options,
    );
    for (const entry of build.entries) {
      const { graphs } = await prepareContext({
        graphs: [
          {
            name: entry.name,
            file: `${build.out}/${entry.graph}`,
            optimization: finalizeLevel(entry, precision),
          },
        ],
        weights: `${build.out}/qnn/weights.bin`,
        cache: false,
      });
      const { simulated, ddr } = graphs[0]!;
      const bound = boundBytes(entry);
      say(`  ${label} ${precision} ${entry.name}: ${simulated!.us} us`);
      const add = (metric: string, value: number, unit: string) =>
        rows.push({
          ...row({
            program: label,
            precision,
            context,
            metric: `${entry.role} ${metric}`,
            value,
            unit,
            source: "vendor-simulated",
          }),
          device,
        });
      add("step", simulated!.us, "us");
      add("DDR read", ddr!.read, "bytes");
      add("weights and cache", bound, "bytes");
      add("share of bound", bound / rate / (simulated!.us / 1e6), "ratio");
      add("ops without a cost", simulated!.uncosted.length, "ops");
    }
  }
  return rows;
}
