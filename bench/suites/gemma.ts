/**
 * Gemma 3 270M with its real weights (`npm run setup:gemma`) on the reference backend, beside llama.cpp on the same file with
 * the same threads (`npm run setup:llama`): reading a prompt, making tokens greedily, memory. The two take turns, and the share
 * of the read rate is taken turn by turn.
 */
import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { readBandwidth } from "../../src/runtime/addon.ts";
import { type ContestantTask, hasLlama } from "../contestants.ts";
import { compileTo, type SuiteContext } from "../harness.ts";
import { median, type Row } from "../record.ts";
import { promptIds } from "../session.ts";
import { type Player, startPlayer } from "../turns.ts";

const program = "gemma3-270m";
const file = ".gemma/gemma-3-270m-q4_k_m.gguf";
/** As the file's maker calls its mix of block formats. */
export const gemmaPrecision = "q4_k_m";
export const gemmaPrograms = [program, `llama.cpp: ${program}`] as const;
export const promptTokens = 128;
export const threadCounts = [1, 2] as const;

const rounds = 12;
const tokensPerTurn = 16;
const readBytes = 256e6;
/** Idle worker threads spin for a while; none may take a core from the other side. */
const pauseMs = 50;

export async function gemma({ row, say, only }: SuiteContext): Promise<Row[]> {
  if (!only(program)) return [];
  if (!existsSync(file)) throw new Error(`${file} is missing: npm run setup:gemma`);
  if (!hasLlama()) throw new Error("llama.cpp is missing: npm run setup:llama");
  const build = await compileTo(program, "native", "--weights", file);
  const entry = build.manifest.entries.find((e) => e.role === "decode" && e.context >= promptTokens)!;
  const rows: Row[] = [];
  for (const threads of threadCounts) {
    const prompt = promptIds(promptTokens, 262_144);
    const task = { threads, prompt, context: entry.context };
    const figures = await play(
      [
        { ...task, who: "heddle", path: build.out },
        { ...task, who: "llama.cpp", path: file },
      ],
      threads,
    );
    for (const [i, f] of figures.entries()) {
      const add = (metric: string, value: number, unit: string) =>
        rows.push(
          row({
            ...{ program: gemmaPrograms[i]!, precision: gemmaPrecision, context: promptTokens, value, unit },
            metric: `${metric}, ${threads} ${threads === 1 ? "thread" : "threads"}`,
            source: "measured",
          }),
        );
      add("decode", 1000 / f.decodeMs, "tokens/s");
      add("prefill", (1000 * promptTokens) / f.prefillMs, "tokens/s");
      add("peak memory", f.peakBytes, "bytes");
      add("share of read bandwidth", median(f.reads.map((s) => (entry.cost.weightBytes * s) / f.decodeMs)), "ratio");
      say(`${gemmaPrograms[i]}, ${threads}: ${(1000 / f.decodeMs).toFixed(1)} tok/s, ${f.prefillMs.toFixed(0)} ms`);
    }
    rows.push(...ratios(figures, threads, row));
  }
  return rows;
}

interface Figures {
  readonly decodeMs: number;
  readonly prefillMs: number;
  readonly peakBytes: number;
  /** Of each turn: ms per byte of a read loop. */
  readonly reads: readonly number[];
  /** Of each turn, median ms. */
  readonly turns: { readonly decode: readonly number[]; readonly prefill: readonly number[] };
}

async function play(tasks: readonly ContestantTask[], threads: number): Promise<Figures[]> {
  const players: Player[] = [];
  try {
    for (const task of tasks) players.push(await startPlayer(task));
    const turns = players.map(() => ({ decode: [] as number[], prefill: [] as number[], peakBytes: 0 }));
    const reads: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      await setTimeout(pauseMs);
      const seconds = readBandwidth({ bytes: readBytes, threads, repeats: 3, fetchAhead: true });
      reads.push((1000 * Math.min(...seconds)) / readBytes);
      for (const [i, player] of players.entries()) {
        await setTimeout(pauseMs);
        const prefill = await player.play({});
        const decode = await player.play({ decode: tokensPerTurn });
        if (round === 0) continue; // warms up
        turns[i]!.prefill.push(prefill.ms[0]!);
        // The first token of a turn belongs to the prompt in one of them and not in the other.
        turns[i]!.decode.push(median(decode.ms.slice(1)));
        turns[i]!.peakBytes = decode.peakBytes;
      }
    }
    return turns.map((t) => ({
      decodeMs: median(t.decode),
      prefillMs: median(t.prefill),
      peakBytes: t.peakBytes,
      reads: reads.slice(1),
      turns: t,
    }));
  } finally {
    for (const player of players) player.close();
  }
}

/** How many times faster, by the median over turns, which what else the machine does disturbs least. */
function ratios([own, peer]: readonly Figures[], threads: number, row: SuiteContext["row"]): Row[] {
  return (["decode", "prefill"] as const).map((what) =>
    row({
      ...{ program, precision: gemmaPrecision, context: promptTokens },
      metric: `${what} over llama.cpp, ${threads} ${threads === 1 ? "thread" : "threads"}`,
      value: median(own!.turns[what].map((ms, i) => peer!.turns[what][i]! / ms)),
      unit: "ratio",
      source: "measured",
    }),
  );
}
