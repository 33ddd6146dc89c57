/**
 * The six programs on Snapdragon X Elite's NPU by Qualcomm's simulator, full size with LM head and made-up weights (cost does not
 * depend on their values), beside the same model exported to ONNX and compiled by ONNX Runtime's QNN provider on the same
 * simulator. All times but those of compiling are vendor-simulated, and the same on every machine.
 */
import { gpt2Programs } from "../../graphs/models/variants.ts";
import type { ManifestEntry } from "../../src/codegen/manifest.ts";
import { boundBytes, finalizeLevel, type PreparedGraph, prepareContext } from "../../src/htp/index.ts";
import { loadTarget } from "../../src/targets/target.ts";
import { type Build, compileTo, exportOnnx, type SuiteContext } from "../harness.ts";
import { checkOrtQnn, costOfOnnx } from "../ort-qnn.ts";
import type { Row } from "../record.ts";

export const htpLengths = [32, 64, 128, 256, 512] as const;
/** A prompt of this many tokens is read at once; the context that it is read into is the smallest that holds it. */
export const promptLength = 128;

const best = "gpt2-fa2-kv-fused";
export const htpBuilds = [
  ...gpt2Programs.map((program) => [program, "f16"] as const),
  [best, "w8a16"] as const,
  [best, "w4a16"] as const,
];
/** What the peer is given: one step of the best program, and the baseline, which computes everything again. */
export const htpPeers = [best, "gpt2-baseline"] as const;

/** What the peer's rows are called. */
export const peerOf = (program: string): string => `ONNX Runtime: ${program}`;

const target = "x-elite";
const device = "SoC 52 (HTP v73, 8 MB VTCM) on Qualcomm's x86-64 simulator";

/** The entry point that makes token number `n`. */
const stepAt = (entries: readonly ManifestEntry[], n: number): ManifestEntry =>
  entries.find((e) => e.role === "decode" && e.context >= n) ??
  entries.find((e) => e.role === "forward" && e.tokens >= n)!;

const promptOf = (entries: readonly ManifestEntry[]): ManifestEntry =>
  entries.find((e) => e.role === "prefill" && e.tokens >= promptLength) ?? stepAt(entries, promptLength);

/**
 * Bytes that a step at `n` tokens must read: weights, and keys and values of the tokens there are. Quantised weights are counted in
 * `weightBytes` of the graph; places that are not filled yet are not in the bound.
 */
function liveBytes(e: ManifestEntry, n: number): number {
  const all = boundBytes(e);
  return e.role === "decode" ? all - (all - e.cost.weightBytes) * (1 - n / e.context) : all;
}

export async function htp({ row, say, only }: SuiteContext): Promise<Row[]> {
  checkOrtQnn();
  const rate = loadTarget(target).memoryRate.value;
  const rows: Row[] = [];
  const adder =
    (program: string, precision: string) => (context: number, metric: string, value: number, unit: string) =>
      rows.push({
        ...row({
          program,
          precision,
          context,
          metric,
          value,
          unit,
          source: unit === "s" ? "measured" : "vendor-simulated",
        }),
        ...(unit !== "s" && { device }),
      });

  for (const [program, precision] of htpBuilds.filter(([p]) => only(p))) {
    const build = await compileTo(program, precision, "--target", target, "--no-context");
    const costs = await costsOf(build);
    const add = adder(program, precision);
    for (const n of htpLengths) {
      const entry = stepAt(build.manifest.entries, n);
      const cost = costs.get(entry.name)!;
      const bound = liveBytes(entry, n);
      say(`  ${program} ${precision} at ${n}: ${cost.simulated!.us} us`);
      add(n, "step", cost.simulated!.us, "us");
      add(n, "DDR read", cost.ddr!.read, "bytes");
      add(n, "weights and live cache", bound, "bytes");
      add(n, "share of bound", bound / rate / (cost.simulated!.us / 1e6), "ratio");
      add(n, "finalize", cost.finalizeMs / 1000, "s");
    }
    const prompt = costs.get(promptOf(build.manifest.entries).name)!;
    add(promptLength, "prefill", prompt.simulated!.us, "us");
    add(promptLength, "prefill finalize", prompt.finalizeMs / 1000, "s");
  }

  for (const program of htpPeers.filter((p) => only(peerOf(p)))) {
    const { entries } = (await compileTo(program, "f16", "--target", target, "--no-context")).manifest;
    const known = new Map<string, Awaited<ReturnType<typeof costOfOnnx>>>();
    const costOf = async ({ name }: ManifestEntry) => {
      const cost = known.get(name) ?? (await costOfOnnx((await exportOnnx(program, name, target)).file));
      known.set(name, cost);
      return cost;
    };
    const add = adder(peerOf(program), "f16");
    for (const n of htpLengths) {
      const { us, read, sessionSeconds } = await costOf(stepAt(entries, n));
      say(`  ONNX Runtime ${program} at ${n}: ${us} us`);
      add(n, "step", us, "us");
      add(n, "DDR read", read, "bytes");
      add(n, "finalize", sessionSeconds, "s");
    }
    add(promptLength, "prefill", (await costOf(promptOf(entries))).us, "us");
  }
  return rows;
}

/** Costs of the entry points that the table needs, each compiled alone. */
async function costsOf({ out, manifest }: Build): Promise<ReadonlyMap<string, PreparedGraph>> {
  const { entries } = manifest;
  const wanted = new Set([...htpLengths.map((n) => stepAt(entries, n)), promptOf(entries)]);
  const { graphs } = await prepareContext({
    graphs: [...wanted].map((e) => ({
      name: e.name,
      file: `${out}/${e.graph}`,
      optimization: finalizeLevel(e, manifest),
    })),
    weights: `${out}/qnn/weights.bin`,
    cache: false,
  });
  return new Map(graphs.map((g) => [g.name, g]));
}
