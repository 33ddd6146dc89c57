/** QNN graphs by hand, for costing forms that the compiler does not emit. Weights are made up: costs do not depend on values. */
import type {
  QnnDataType,
  QnnNode,
  QnnQuantize,
  QnnScalar,
  QnnTensor,
  QnnTensorKind,
} from "../../src/codegen/qnn/types.ts";
import { costOnHtp, type HtpCost, type HtpOptions } from "../htp-cost.ts";

export const F16 = "FLOAT_16";
export const F32 = "FLOAT_32";
export const U8 = "UFIXED_POINT_8";
export const U16 = "UFIXED_POINT_16";
export const S8 = "SFIXED_POINT_8";
export const S32 = "SFIXED_POINT_32";
const bytes: Readonly<Record<string, number>> = {
  [F16]: 2,
  [F32]: 4,
  [U8]: 1,
  [U16]: 2,
  [S8]: 1,
  [S32]: 4,
  UINT_32: 4,
  INT_32: 4,
};

export type Quantize = QnnQuantize;
export interface Tensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: QnnDataType;
  readonly quantize: Quantize | undefined;
}
export type Param = { readonly name: string } & (
  | { readonly scalar: QnnScalar }
  | { readonly dataType: QnnDataType; readonly dims: readonly number[]; readonly values: readonly number[] }
);

export const scaled = (scale: number, offset: number): Quantize => ({ encoding: "SCALE_OFFSET", scale, offset });
/** Around zero, for activations whose range does not matter here. */
export const encodingOf = (type: string): Quantize | undefined =>
  ({ [U16]: scaled(1 / 4096, -32768), [U8]: scaled(1 / 16, -128), [S32]: scaled(1e-6, 0) })[type];

export const flag = (name: string, value: boolean): Param => ({ name, scalar: { dataType: "BOOL_8", value } });
export const real = (name: string, value: number): Param => ({ name, scalar: { dataType: F32, value } });
export const count = (name: string, value: number): Param => ({ name, scalar: { dataType: "UINT_32", value } });
export const counts = (name: string, values: readonly number[], dims = [values.length]): Param => ({
  name,
  dataType: "UINT_32",
  dims,
  values,
});

/** The last axis, over which a row is normed. */
export const axisOf = (x: Tensor): Param => counts("axes", [x.dims.length - 1]);

/** Of weights of [out, in] in 8 or 4 bits. */
export const perChannel = (out: number, bits: number): Quantize => {
  const how = { axis: 0, scales: Array<number>(out).fill(0.01), offsets: Array<number>(out).fill(0) };
  return bits === 8
    ? { encoding: "AXIS_SCALE_OFFSET", ...how }
    : { encoding: "BW_AXIS_SCALE_OFFSET", bitwidth: bits, ...how };
};

interface Options {
  readonly type?: QnnDataType;
  readonly quantize?: Quantize | undefined;
  readonly params?: readonly Param[];
  /** Makes it an output of the graph. */
  readonly out?: boolean;
}

/** Enough for GPT-2 124M in f16. */
const size = 320 << 20;
let shared: ArrayBuffer | undefined;

/** Small finite f16 numbers that look random: a linear congruential generator (Numerical Recipes). */
function madeUp(): ArrayBuffer {
  if (shared) return shared;
  shared = new ArrayBuffer(size);
  const halves = new Uint16Array(shared);
  let state = 1;
  for (let i = 0; i < halves.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    halves[i] = ((state >>> 16) & 0x83ff) | 0x2400;
  }
  return shared;
}

export class Sketch {
  readonly #tensors: QnnTensor[] = [];
  readonly #nodes: QnnNode[] = [];
  readonly #inputs: string[] = [];
  readonly #outputs: string[] = [];
  #end = 0;

  input(name: string, dims: readonly number[], type: QnnDataType, quantize = encodingOf(type)): Tensor {
    this.#inputs.push(name);
    return this.#declare({ name, dims, type, quantize }, "APP_WRITE");
  }

  weight(dims: readonly number[], type: QnnDataType, quantize = encodingOf(type)): Tensor {
    const data = { offset: this.#end, bytes: dims.reduce((a, b) => a * b, bytes[type]!) };
    this.#end += Math.ceil(data.bytes / 64) * 64;
    if (this.#end > size) throw new Error(`the weights of this form take more than ${size} bytes`);
    return this.#declare({ name: this.#fresh("weight"), dims, type, quantize }, "STATIC", { data });
  }

  constant(values: readonly number[], type: QnnDataType, quantize = encodingOf(type), dims = [values.length]): Tensor {
    return this.#declare({ name: this.#fresh("constant"), dims, type, quantize }, "STATIC", { inline: values });
  }

  op(op: string, inputs: readonly Tensor[], dims: readonly number[], options: Options = {}): Tensor {
    const [first] = inputs as [Tensor];
    const type = options.type ?? first.type;
    const quantize = options.quantize ?? (type === first.type ? first.quantize : encodingOf(type));
    const out = this.#declare({ name: this.#fresh(op), dims, type, quantize }, options.out ? "APP_READ" : "NATIVE");
    if (options.out) this.#outputs.push(out.name);
    const params = (options.params ?? []).map((p) => {
      if ("scalar" in p) return p;
      return { name: p.name, tensor: this.constant(p.values, p.dataType, undefined, [...p.dims]).name };
    });
    const names = inputs.map((t) => t.name);
    this.#nodes.push({ name: out.name, package: "qti.aisw", type: op, params, inputs: names, outputs: [out.name] });
    return out;
  }

  reshape(x: Tensor, dims: readonly number[]): Tensor {
    return x.dims.join() === dims.join() ? x : this.op("Reshape", [x], dims);
  }

  slice(x: Tensor, axis: number, start: number, end: number): Tensor {
    const ranges = x.dims.flatMap((n, i) => (i === axis ? [start, end, 1] : [0, n, 1]));
    const dims = x.dims.map((n, i) => (i === axis ? end - start : n));
    return this.op("StridedSlice", [x], dims, {
      params: [{ name: "ranges", dataType: "INT_32", dims: [dims.length, 3], values: ranges }],
    });
  }

  concat(parts: readonly Tensor[], axis: number, quantize?: Quantize): Tensor {
    const total = parts.reduce((n, p) => n + p.dims[axis]!, 0);
    const dims = parts[0]!.dims.map((n, i) => (i === axis ? total : n));
    return this.op("Concat", parts, dims, { params: [count("axis", axis)], quantize });
  }

  cost(options: HtpOptions): Promise<HtpCost> {
    const [tensors, nodes, inputs, outputs] = [this.#tensors, this.#nodes, this.#inputs, this.#outputs];
    const graph = {
      format: "heddle.qnn/1",
      graph: "form",
      weights: "weights.bin",
      tensors,
      nodes,
      inputs,
      outputs,
    } as const;
    return costOnHtp(graph, madeUp(), options);
  }

  #fresh(base: string): string {
    return `${base}.${this.#tensors.length}`;
  }

  #declare(t: Tensor, kind: QnnTensorKind, more: Partial<QnnTensor> = {}): Tensor {
    const { name, dims, type, quantize } = t;
    this.#tensors.push({ name, type: kind, dataType: type, dims, ...(quantize && { quantize }), ...more });
    return t;
  }
}
