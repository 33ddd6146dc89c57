/** How long `npm run compile graphs/gpt2-fa2-kv.ts` takes at full size: when weights must be written, and when nothing changed. */
import { rmSync } from "node:fs";
import { compileTo, node, type SuiteContext } from "../harness.ts";
import { median, type Row } from "../record.ts";

const repeats = 5;
const program = "gpt2-fa2-kv";

interface Times {
  readonly times: Readonly<Record<string, number>>;
}

export async function compileTime({ row, say }: SuiteContext): Promise<Row[]> {
  const out = `.cache/bench/compile-${program}`;
  const once = async () => {
    const start = performance.now();
    const text = await node("src/cli/compile.ts", `graphs/${program}.ts`, "--out", out, "--json");
    return { whole: performance.now() - start, ...(JSON.parse(text) as Times).times };
  };
  await compileTo(program, "f32");
  const rows: Row[] = [];
  for (const [state, prepare] of [
    ["weights written", () => rmSync(out, { recursive: true, force: true })],
    ["weights unchanged", () => {}],
  ] as const) {
    const runs: Record<string, number>[] = [];
    for (let i = 0; i < repeats; i++) {
      prepare();
      runs.push(await once());
    }
    for (const key of Object.keys(runs[0]!)) {
      const value = median(runs.map((r) => r[key]!));
      say(`  ${state}, ${key}: ${value.toFixed(0)} ms`);
      rows.push(
        row({
          program,
          precision: "f32",
          context: 0,
          metric: `compile, ${state}: ${key}`,
          value,
          unit: "ms",
          source: "measured",
        }),
      );
    }
  }
  return rows;
}
