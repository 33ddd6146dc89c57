/** The model of a graph file without any pass, evaluated by the reference interpreter in f64: what the program should compute. */
import { loadProgram } from "../../frontend/load.ts";
import { evaluate } from "../../ir/evaluate/evaluate.ts";
import { bind, graph } from "../../ir/graph.ts";
import { gather, input } from "../../ir/ops/index.ts";
import type { ModelInfo } from "../../ir/program.ts";
import { staticShape } from "../../ir/type.ts";
import { openCheckpoint } from "../../weights/checkpoint.ts";
import { seededWeights } from "../../weights/seeded.ts";
import type { WeightSource } from "../../weights/source.ts";

export interface UntouchedModel {
  /** Name of the configuration, or "checkpoint". */
  readonly config: string;
  readonly info: ModelInfo;
  /** Closed by the caller. */
  readonly weights: WeightSource;
  /** Sequences to compare on: around the edges of tiles and buckets, as long as the interpreter can bear. */
  prompts(): { readonly name: string; readonly tokens: number[] }[];
  /** Logits [vocab] after the last token. */
  logits(tokens: readonly number[]): ArrayLike<number>;
}

/** Multiplications per sequence that the interpreter does in some seconds. */
const budget = 3e9;
const lengths = [1, 2, 63, 64, 65, 127, 128, 129];

/** @param wanted the longest sequence that will be asked for, where it is more than a model has by default. */
export async function openModel(
  file: string,
  options: { config?: string; weights?: string; seed?: number },
  wanted?: number,
): Promise<UntouchedModel> {
  const program = await loadProgram(file);
  const checkpoint = options.weights === undefined ? undefined : openCheckpoint(options.weights);
  const smallest = program.configs.includes("tiny") ? "tiny" : program.configs[0]!;
  const choice = options.config ?? (checkpoint?.config ? { checkpoint: checkpoint.config } : smallest);
  const { module, info, config } = program.build(choice, undefined, wanted);
  const weights = checkpoint?.weights ?? seededWeights(options.seed);
  const perToken = (12 * info.layers * info.width + info.vocab) * info.width;
  const longest = Math.min(info.positions, Math.max(2, Math.floor(budget / perToken)));
  return {
    config,
    info,
    weights,
    prompts: () =>
      lengths
        .filter((n) => n <= longest)
        .map((n) => ({
          name: `logits after ${n} tokens`,
          tokens: Array.from({ length: n }, (_, i) => (i * 31 + n * 7) % info.vocab),
        })),
    logits: (tokens) => {
      const bound = bind(module.graph, { T: tokens.length });
      const row = input("row", "i32", 1);
      const last = gather(bound.outputs[0]!, row, { axis: 0 });
      const { outputs } = evaluate(graph(bound.name, { inputs: [...bound.inputs, row], outputs: [last] }), {
        inputs: { [bound.inputs[0]!.name!]: tokens, row: [tokens.length - 1] },
        params: (name, type) => weights.read(name, staticShape(type.shape)),
        precision: "f64",
      });
      return outputs[0]!.data;
    },
  };
}
