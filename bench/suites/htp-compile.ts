/**
 * How long it takes from GPT-2 124M to an NPU binary with a prefill and a decode graph, beside ONNX Runtime's QNN provider, which is given
 * the same two graphs as ONNX files. Both end in Qualcomm's own compiler. Ours is the whole command in a fresh process, from a graph file and
 * made-up weights to a build folder; of the peer, which takes turns with it, the building of both sessions, and both whole processes.
 */
import { mkdirSync, rmSync } from "node:fs";
import { exportOnnx, node, type SuiteContext } from "../harness.ts";
import { checkOrtQnn, costOfOnnx } from "../ort-qnn.ts";
import { type Measured, measured } from "../processor-time.ts";
import { median, type Row } from "../record.ts";
import { peerOf } from "./htp.ts";

const program = "gpt2-fa2-kv-fused";
const context = 256;
const entries = [`prefill-${context}`, `decode-${context}`] as const;
const target = "x-elite";
/** Snapdragon X Elite: what both compile for. */
const soc = 60;
const repeats = 3;
const peer = peerOf(program);

const folder = ".cache/bench/htp-compile";
/** One of its own: the first run with it must find nothing. */
const cache = `${folder}-cache`;

export async function htpCompile({ row, say }: SuiteContext): Promise<Row[]> {
  checkOrtQnn();
  mkdirSync(folder, { recursive: true });
  const files: string[] = [];
  for (const entry of entries) files.push((await exportOnnx(program, entry, target)).file);
  process.env.HEDDLE_CACHE = cache;
  rmSync(cache, { recursive: true, force: true });

  const taken = new Map<string, Measured[]>();
  const take = async (what: string, run: () => Promise<unknown>) => {
    const one = await measured(run);
    say(`  ${what}: ${one.wall.toFixed(1)} s, ${one.processor.toFixed(1)} s of processors`);
    taken.set(what, [...(taken.get(what) ?? []), one]);
  };
  const compile = (...flags: string[]) => {
    const options = ["--target", target, "--precision", "f16", "--contexts", String(context), "--out", folder];
    return node("src/cli/compile.ts", `graphs/${program}.ts`, ...options, ...flags, "--json");
  };
  const anew = (...flags: string[]) => {
    rmSync(folder, { recursive: true, force: true });
    return compile(...flags);
  };
  const sessions: number[] = [];
  const buildSessions = async () => {
    let seconds = 0;
    for (const file of files) seconds += (await costOfOnnx(file, soc)).sessionSeconds;
    sessions.push(seconds);
  };
  for (let i = 0; i < repeats; i++) {
    await take("compile", () => anew("--no-cache", "--no-simulate"));
    await take(peer, buildSessions);
    await take("compile, with simulated costs", () => anew("--no-cache"));
  }
  await anew();
  for (let i = 0; i < repeats; i++) await take("nothing changed", () => compile());

  const middle = (metric: string, name: string, values: readonly number[]): Row =>
    row({ program: name, precision: "f16", context, metric, value: median(values), unit: "s", source: "measured" });
  const rows = [...taken].flatMap(([what, runs]) => {
    const [name, metric] = what === peer ? [peer, "both processes"] : [program, what];
    return [
      middle(
        metric,
        name,
        runs.map((r) => r.wall),
      ),
      middle(
        `${metric}, of processors`,
        name,
        runs.map((r) => r.processor),
      ),
    ];
  });
  return [...rows, middle("both sessions", peer, sessions)];
}
