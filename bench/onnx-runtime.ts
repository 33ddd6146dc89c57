/** The peer: the same entry point, exported to ONNX, in ONNX Runtime on the CPU with the same number of threads. */
import * as ort from "onnxruntime-node";
import { median } from "./record.ts";
import { promptIds } from "./session.ts";

export interface OnnxTask {
  readonly kind: "onnx";
  readonly model: string;
  readonly vocab: number;
  /** Tokens that one run takes, and, with a cache, those that it already holds. */
  readonly rows: number;
  readonly position: number;
  readonly threads: number;
  readonly repeats: number;
}

export interface OnnxFigures {
  /** One run, in ms: median of `repeats` after two that warm up. */
  readonly runMs: number;
  readonly sessionMs: number;
  readonly peakBytes: number;
}

export async function measureOnnxRuntime(task: OnnxTask): Promise<Omit<OnnxFigures, "peakBytes">> {
  const { model, vocab, rows, position, threads, repeats } = task;
  const start = performance.now();
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
  });
  const sessionMs = performance.now() - start;
  const feeds: Record<string, ort.Tensor> = {};
  for (const input of session.inputMetadata) {
    if (!input.isTensor) throw new Error(`${model}: input ${input.name} is not a tensor`);
    const dims = input.shape.map(Number);
    const count = dims.reduce((a, b) => a * b, 1);
    if (input.name === "tokens")
      feeds[input.name] = new ort.Tensor("int32", Int32Array.from(promptIds(rows, vocab)), dims);
    else if (input.name === "position") feeds[input.name] = new ort.Tensor("int32", Int32Array.of(position), dims);
    else if (input.name === "last") feeds[input.name] = new ort.Tensor("int32", Int32Array.of(rows - 1), dims);
    else feeds[input.name] = new ort.Tensor("float32", new Float32Array(count).fill(0.01), dims);
  }
  const times: number[] = [];
  for (let i = 0; i < repeats + 2; i++) {
    const begin = performance.now();
    await session.run(feeds);
    if (i >= 2) times.push(performance.now() - begin);
  }
  await session.release();
  return { runMs: median(times), sessionMs };
}
