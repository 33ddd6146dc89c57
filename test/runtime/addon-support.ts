/** A small graph with its answer, and the libraries that are here to run it. */
import { existsSync } from "node:fs";
import { type BackendName, backendNames, libraryCandidates } from "../../src/runtime/libraries.ts";

/** Path of a backend's library, or nothing. With HEDDLE_REQUIRE_QUALCOMM=1 a missing one is an error. */
export function available(name: BackendName): string | undefined {
  const found = libraryCandidates(name).find((file) => existsSync(file));
  if (!found && process.env.HEDDLE_REQUIRE_QUALCOMM === "1") throw new Error(`the library of ${name} is required here`);
  return found;
}

/** Backends to run numeric tests on, with the largest error that their arithmetic explains. */
export const backends = backendNames
  .map((name) => ({ name, path: available(name), tolerance: name === "htp" ? 2e-3 : 1e-6 }))
  .filter((b): b is typeof b & { path: string } => b.path !== undefined);

interface Tensor {
  name: string;
  type: string;
  dataType: string;
  dims: number[];
  data?: { offset: number; bytes: number };
  inline?: number[];
  quantize?: unknown;
}

interface Node {
  name: string;
  package: string;
  type: string;
  params: unknown[];
  inputs: string[];
  outputs: string[];
  loc?: string;
}

export interface Description {
  format: string;
  graph: string;
  weights: string;
  tensors: Tensor[];
  nodes: Node[];
  inputs: string[];
  outputs: string[];
}

const tensor = (name: string, type: string, dims: number[], more: Partial<Tensor> = {}): Tensor => ({
  name,
  type,
  dataType: "FLOAT_32",
  dims,
  ...more,
});

/** y = softmax(x w^T + b + r), x [2,8], w [4,8], b [4], r [2,4]. */
export const description = (graph = "small"): Description => ({
  format: "heddle.qnn/1",
  graph,
  weights: "weights.bin",
  tensors: [
    tensor("x", "APP_WRITE", [2, 8]),
    tensor("r", "APP_WRITE", [2, 4]),
    tensor("w", "STATIC", [4, 8], { data: { offset: 0, bytes: 128 } }),
    tensor("b", "STATIC", [4], { inline: [0.5, -0.25, 0.125, 1] }),
    tensor("h", "NATIVE", [2, 4]),
    tensor("s", "NATIVE", [2, 4]),
    tensor("y", "APP_READ", [2, 4]),
  ],
  nodes: [
    {
      name: "fc",
      package: "qti.aisw",
      type: "FullyConnected",
      params: [],
      inputs: ["x", "w", "b"],
      outputs: ["h"],
      loc: "graphs/small.ts:3:14",
    },
    { name: "add", package: "qti.aisw", type: "ElementWiseAdd", params: [], inputs: ["h", "r"], outputs: ["s"] },
    {
      name: "probabilities",
      package: "qti.aisw",
      type: "Softmax",
      params: [
        { name: "axis", scalar: { dataType: "UINT_32", value: 1 } },
        { name: "beta", scalar: { dataType: "FLOAT_32", value: 1 } },
      ],
      inputs: ["s"],
      outputs: ["y"],
    },
  ],
  inputs: ["x", "r"],
  outputs: ["y"],
});

const wave = (n: number, phase: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(i + phase));

export const weights = wave(32, 0);
export const inputs = (phase = 1): { x: Float32Array; r: Float32Array } => ({
  x: wave(16, phase),
  r: wave(8, phase + 7),
});

/** The answer in double precision. */
export function expected({ x, r }: { x: Float32Array; r: Float32Array }): number[] {
  const bias = [0.5, -0.25, 0.125, 1];
  return [0, 1].flatMap((row) => {
    const z = bias.map((b, o) => {
      let sum = b + r[row * 4 + o]!;
      for (let k = 0; k < 8; k++) sum += x[row * 8 + k]! * weights[o * 8 + k]!;
      return sum;
    });
    const top = Math.max(...z);
    const e = z.map((v) => Math.exp(v - top));
    const total = e.reduce((a, b) => a + b);
    return e.map((v) => v / total);
  });
}

/** Largest absolute difference. */
export const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (v, i) => Math.abs(v - b[i]!)));
