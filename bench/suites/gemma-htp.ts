/**
 * Gemma 3 on Snapdragon X Elite's NPU by Qualcomm's simulator, from whole builds with their context binaries: 270M with its own weights where
 * they are there (`npm run setup:gemma`), 1B with made-up ones, whose residual stream has channels that stand out as trained ones have. What
 * one context takes more memory for than most machines have is compiled in parts, and what these take is added up.
 */
import { existsSync } from "node:fs";
import type { Manifest } from "../../src/codegen/manifest.ts";
import type { Precision } from "../../src/codegen/precision.ts";
import { compileTo, type SuiteContext } from "../harness.ts";
import type { Row } from "../record.ts";

const device = "SoC 52 (HTP v73, 8 MB VTCM) on Qualcomm's x86-64 simulator";
const context = 256;

const weights = existsSync(".gemma") ? ["--weights", ".gemma"] : [];

export interface GemmaHtpBuild {
  readonly label: string;
  readonly program: string;
  readonly precision: Precision;
  readonly options: readonly string[];
}

export const gemmaHtpBuilds: readonly GemmaHtpBuild[] = [
  ...(["f16", "w8a16", "w4a16"] as const).map((precision) => ({
    ...{ label: "270M", program: "gemma3-270m", precision },
    options: weights,
  })),
  { label: "1B, in 3 parts", program: "gemma3-1b", precision: "f16", options: ["--parts", "3"] },
  ...(["w8a16", "w4a16"] as const).map((precision) => ({
    ...{ label: "1B, in 5 parts", program: "gemma3-1b", precision },
    options: ["--parts", "5"],
  })),
];

/** What the manifest of a build says of each entry point, of all parts together. */
export function gemmaHtpRows(
  { row, say }: Pick<SuiteContext, "row" | "say">,
  { label, precision }: GemmaHtpBuild,
  entries: Manifest["entries"],
): Row[] {
  return entries.flatMap(({ name, role, npu }) => {
    const { us, boundBytes, shareOfBound, uncosted } = npu!.simulated!;
    say(`  ${label} ${precision} ${name}: ${us} us`);
    const figures = [
      ["step", us, "us"],
      ["DDR read", npu!.ddr!.read, "bytes"],
      ["weights and cache", boundBytes, "bytes"],
      ["share of bound", shareOfBound, "ratio"],
      ["ops without a cost", uncosted.length, "ops"],
    ] as const;
    return figures.map(([metric, value, unit]) => ({
      ...row({
        ...{ program: label, precision, context, value, unit },
        metric: `${role} ${metric}`,
        source: "vendor-simulated",
      }),
      device,
    }));
  });
}

export async function gemmaHtp(suite: SuiteContext): Promise<Row[]> {
  const rows: Row[] = [];
  for (const build of gemmaHtpBuilds.filter((b) => suite.only(b.program))) {
    const { program, precision, options } = build;
    const common = ["--target", "x-elite", "--contexts", `${context}`];
    const { manifest } = await compileTo(program, precision, ...common, ...options);
    rows.push(...gemmaHtpRows(suite, build, manifest.entries));
  }
  return rows;
}
