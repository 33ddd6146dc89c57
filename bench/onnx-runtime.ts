/** The peer: the same entry point, exported to ONNX, in ONNX Runtime on the CPU with the same number of threads. */
import * as ort from "onnxruntime-node";
import { type Paired, pairWithReads, peakMemory } from "./paired.ts";
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
  /** Bytes that a run must read. */
  readonly bytes: number;
}

export interface OnnxFigures {
  /** One run, after one that warms up. */
  readonly step: Paired;
  readonly sessionMs: number;
  readonly peakBytes: number;
}

export async function measureOnnxRuntime(task: OnnxTask): Promise<OnnxFigures> {
  const { model, vocab, rows, position, threads, repeats, bytes } = task;
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
  await session.run(feeds);
  const peakBytes = peakMemory();
  const step = await pairWithReads({ bytes, threads, repeats }, async () => {
    const begin = performance.now();
    await session.run(feeds);
    return performance.now() - begin;
  });
  await session.release();
  return { step, sessionMs, peakBytes };
}
