/**
 * Qualcomm's HTP simulator computes what the reference backend computes from the same quantised graph. Products are in fixed point
 * on both; around them the NPU has fixed point or f16 where the reference has f32. Of a step in fixed point throughout, the simulator
 * is also held against the interpreter on that very graph, which leaves nothing but roundings. Skipped where the library is not installed.
 */
import { existsSync } from "node:fs";
import { test as always } from "uvu";
import * as assert from "uvu/assert";
import { lowerProgram } from "../../../src/cli/support/lower-program.ts";
import { type RunGraph, withGraph } from "../../../src/cli/support/run-graph.ts";
import { qnnVendorFixed } from "../../../src/codegen/qnn/index.ts";
import { bind, type DType, evaluate, graph as graphOf, staticShape } from "../../../src/ir/index.ts";
import { libraryCandidates } from "../../../src/runtime/libraries.ts";
import { noise } from "../../ir/examples/example.ts";
import { isSlice } from "../../support/fixed-definition.ts";
import { fixture, sqnr } from "../../support/held-out.ts";

const installed = libraryCandidates("htp").some((file) => existsSync(file));
const test = installed ? always : always.skip;

/** HEDDLE_ALL_ENTRIES=1 runs every entry point of every precision, which takes minutes. */
const all = process.env.HEDDLE_ALL_ENTRIES === "1";
const cases = [
  ["w8a16", "prefill-256"],
  ["w8a16", "decode-256"],
  ["w8a16", "prefill-256", "i8"],
  ["w8a16", "decode-256", "i8"],
  ["w8a16", "prefill-256", "k8v16"],
  ["w8a16", "decode-256", "k8v16"],
  ["w4a16", "decode-256", "i8"],
  ["w4a16", "prefill-256", "i8", 64],
  ["w4a16", "decode-256", "i8", 64, "w4"],
  ...(all
    ? ["w8a16", "w4a16"].flatMap((p) => ["prefill-512", "decode-512", "prefill-1024", "decode-1024"].map((e) => [p, e]))
    : []),
] as [precision: "w8a16" | "w4a16", entry: string, kv?: "i8" | "k8v16", blockSize?: 64, head?: "w4"][];

/** Noise as integers, over four fifths of the range of their type. */
const integersOf = (values: readonly number[], dtype: DType): number[] =>
  values.map((v) => (dtype === "u16" ? 32768 + Math.round(25600 * v) : Math.round(100 * v)));

for (const [precision, name, kv, blockSize, head] of cases) {
  const blocks = blockSize ? `, blocks of ${blockSize}${head ? " in the head too" : ""}` : "";
  test(`${precision}, ${name}${kv ? `, caches in ${kv}` : ""}${blocks}: logits within 30 dB`, async () => {
    const found = await lowerProgram(
      "graphs/gpt2-fa2-kv-fused.ts",
      {
        weights: fixture,
        precision,
        quantize: { ...(kv && { kv }), ...(blockSize && { blockSize }), ...(head && { head }) },
      },
      async (lowered) => {
        const entry = lowered.module.entries.find((e) => e.name === name)!;
        const graph = bind(lowered.module.graph, entry.bind, name);
        const { T, C } = entry.bind as { T: number; C: number };
        // Half of the cache holds something like keys and values; what lies behind must not be seen.
        const position = C / 2 - (T > 1 ? T / 2 : 0);
        const caches = Object.fromEntries(
          graph.state.map(({ cache }, i) => {
            const count = (cache.type.shape as number[]).reduce((n, d) => n * d, 1);
            const values = noise(count, i + 1);
            return [cache.name!, kv ? integersOf(values, cache.type.dtype) : values];
          }),
        );
        const tokens = Array.from({ length: T }, (_, i) => (i * 37 + 11) % 4096);
        const inputs = { ...caches, tokens, position: [position], last: [T - 1] };
        const logits = async (run: RunGraph) => Float32Array.from((await run(inputs))[0]!);
        const expected = await withGraph(graph, lowered.weights, logits);
        const vendor = { generator: qnnVendorFixed(lowered.quantization!.encodings), library: "htp" } as const;
        // There caches of i8 are u8 with its zero in the middle.
        const shifted = Object.fromEntries(
          graph.state
            .filter(({ cache }) => cache.type.dtype === "i8")
            .map(({ cache }) => [cache.name!, caches[cache.name!]!.map((v) => v + 128)]),
        );
        const actual = await withGraph(
          graph,
          lowered.weights,
          async (run) => Float32Array.from((await run({ ...inputs, ...shifted }))[0]!),
          vendor,
        );
        const legal = vendor.generator.legalize(graph).graph;
        const yields = legal.outputs.filter((n) => n.type.dtype === "u16" && !isSlice(n));
        if (T > 1 || yields.length === 0) return { same: sqnr(expected, actual) };
        const results = graphOf(legal.name, { ...legal, outputs: yields });
        const { outputs } = evaluate(results, {
          inputs: Object.fromEntries(
            legal.inputs.map((n) => {
              const values = { ...inputs, ...shifted }[n.name!]!;
              return [n.name!, n.type.dtype === "i32" ? Int32Array.from(values) : Float32Array.from(values)];
            }),
          ),
          params: (key, { shape }) => lowered.weights.read(key, staticShape(shape)),
        });
        const defined = outputs.flatMap(({ data }, i) => {
          const { scales, offsets } = yields[i]!.type.quant!;
          return Array.from(data, (q) => (q + offsets[0]!) * scales[0]!);
        });
        return { same: sqnr(expected, actual), defined: sqnr(defined, actual) };
      },
    );
    const { same, defined = Number.POSITIVE_INFINITY } = found;
    console.log(`${precision}${blocks} ${name}: ${same.toFixed(1)} dB, as defined ${defined.toFixed(1)} dB`);
    assert.ok(same >= 30, `${same.toFixed(1)} dB`);
    assert.ok(defined >= 45, `as defined: ${defined.toFixed(1)} dB`);
  });
}

always.run();
