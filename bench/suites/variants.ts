/**
 * The six programs at 32, 64, 128 and 256 tokens on the reference backend, full size with made-up weights (speed does not
 * depend on their values), beside a plain read loop and ONNX Runtime on the same exported graphs with the same threads.
 */
import { availableParallelism } from "node:os";
import { gpt2Programs } from "../../graphs/models/variants.ts";
import { compileTo, exportOnnx, inChild, type SuiteContext } from "../harness.ts";
import type { OnnxFigures } from "../onnx-runtime.ts";
import { median, type Row } from "../record.ts";
import type { SessionFigures } from "../session.ts";

export const lengths = [32, 64, 128, 256] as const;

/** What is measured: every program in f32, and the best one with f16 weights. */
export const builds = [
  ...gpt2Programs.map((program) => [program, "f32"] as const),
  ["gpt2-fa2-kv-fused", "f16"] as const,
];

export async function variants({ row, say, only }: SuiteContext): Promise<Row[]> {
  const threads = availableParallelism();
  const rows: Row[] = [];

  const reads: number[] = [];
  for (const [program, precision] of builds.filter(([p]) => only(p))) {
    say(`${program} ${precision}`);
    const build = await compileTo(program, precision);
    const add = (context: number, metric: string, value: number, unit: string) =>
      rows.push(row({ program, precision, context, metric, value, unit, source: "measured" }));
    for (const tokens of lengths) {
      // Weights and the live part of the cache must be read once per token: that many bytes at the read rate is the bound.
      const entry = build.manifest.entries.find((e) => e.role === "decode" && e.context >= tokens);
      const bytes = entry ? entry.cost.weightBytes + (entry.cost.cacheBytes * tokens) / entry.context : 0;
      const f = await inChild<SessionFigures>({
        kind: "session",
        build: build.out,
        tokens,
        threads,
        repeats: 20,
        bytes,
      });
      say(`  ${tokens} tokens: ${f.tokensPerSecond.toFixed(1)} tok/s, first token ${f.firstTokenMs.toFixed(0)} ms`);
      add(tokens, "generate", f.tokensPerSecond, "tokens/s");
      add(tokens, "first token", f.firstTokenMs, "ms");
      add(tokens, "step", f.step.ms, "ms");
      add(tokens, "peak memory", f.peakBytes, "bytes");
      add(tokens, "cache", f.cacheBytes, "bytes");
      if (f.step.rate !== undefined) reads.push(f.step.rate);
      if (f.step.share !== undefined) add(tokens, "share of read bandwidth", f.step.share, "ratio");
    }
  }
  if (reads.length > 0)
    rows.push(
      row({
        program: "read loop",
        precision: "-",
        context: 0,
        metric: "read bandwidth",
        value: median(reads),
        unit: "GB/s",
        source: "measured",
      }),
    );
  rows.push(...(await peer({ row, say, only }, threads)));
  return rows;
}

/** ONNX Runtime on what `npm run export` writes: one recomputation of the baseline, and one decode step of the best program. */
async function peer({ row, say, only }: SuiteContext, threads: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [program, entryOf, cached] of [
    ["gpt2-fa2-kv", () => "decode-256", true],
    ["gpt2-baseline", (n: number) => `forward-${Math.max(64, n)}`, false],
  ] as const) {
    if (!only(program)) continue;
    for (const tokens of lengths) {
      const model = await exportOnnx(program, entryOf(tokens));
      const f = await inChild<OnnxFigures>({
        kind: "onnx",
        model: model.file,
        vocab: model.vocab,
        rows: model.rows,
        position: tokens - 1,
        threads,
        repeats: cached ? 20 : 3,
        bytes: model.bytes,
      });
      say(`  ONNX Runtime ${program} at ${tokens}: ${f.step.ms.toFixed(1)} ms`);
      const name = `ONNX Runtime: ${program}`;
      const add = (metric: string, value: number, unit: string) =>
        rows.push(row({ program: name, precision: "f32", context: tokens, metric, value, unit, source: "measured" }));
      add("step", f.step.ms, "ms");
      if (cached && f.step.share !== undefined) add("share of read bandwidth", f.step.share, "ratio");
      add("session build", f.sessionMs, "ms");
      add("peak memory", f.peakBytes, "bytes");
    }
  }
  return rows;
}
