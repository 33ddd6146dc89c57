/** GPT-2 124M in the forms that were tried on HTP: which are chosen and why is in docs/htp-legalisation.md. */
import {
  count,
  counts,
  F16,
  F32,
  flag,
  type Quantize,
  real,
  S8,
  S32,
  Sketch,
  scaled,
  type Tensor,
  U8,
  U16,
} from "./sketch.ts";

export interface Form {
  readonly layers: number;
  readonly rows: number;
  readonly places: number;
  /** With the head of 50,257 rows. */
  readonly head: boolean;
  /** Weights of the head where the others are quantised. */
  readonly headWeights: "w8" | "w4";
  /** Inputs that share a scale in weights of 4 bits, 0 for one scale per output channel. */
  readonly blockSize: number;
  /** f16, or activations in 16 bits and weights in 8 or 4. `islands`: only the linears are quantised, the rest is f16. */
  readonly precision: "f16" | "w8" | "w4" | "w8-islands" | "w4-islands";
  readonly linear: "fully-connected" | "conv2d";
  readonly qkv: "merged" | "split";
  readonly heads: "batched" | "single";
  /** Cache and slice joined as keys and values, as scores, or as scores with the new token by products of elements. */
  readonly join: "keys" | "scores" | "elements";
  readonly cache: typeof F32 | typeof F16 | typeof U16 | typeof U8;
  /** `tiles`: the native one over 8 rows of an eighth each. */
  readonly gelu: "tanh" | "sigmoid" | "native" | "tiles";
  /** Outputs that the head is cut into. */
  readonly pieces: number;
}

const [width, heads, dim, vocab] = [768, 12, 64, 50257];

export function gpt2(form: Form): Sketch {
  const { rows, places } = form;
  const g = new Sketch();
  const islands = form.precision.endsWith("islands");
  const bits = form.precision === "f16" ? 16 : form.precision.startsWith("w8") ? 8 : 4;
  const fixed = bits < 16 && !islands;
  const type = fixed ? U16 : F16;

  const reshape = g.reshape.bind(g);
  const binary = (op: string) => (a: Tensor, b: Tensor, q?: Quantize) => g.op(op, [a, b], a.dims, { quantize: q });
  const [add, mul] = [binary("ElementWiseAdd"), binary("ElementWiseMultiply")];
  const scalar = (x: number) => (fixed ? g.constant([65535], U16, scaled(x / 65535, 0)) : g.constant([x], F16));
  const slice = g.slice.bind(g);
  const concat = (parts: readonly Tensor[], axis: number) => g.concat(parts, axis);
  const perChannel = (n: number, axis: number, of: number, inner: number): Quantize | undefined => {
    const [scales, offsets] = [Array<number>(n).fill(0.01), Array<number>(n).fill(0)];
    if (of === 4 && form.blockSize) {
      const blocks = inner / form.blockSize;
      const blockScales = Array.from({ length: n * blocks }, (_, i) => 1 + (i % 16));
      return { encoding: "BLOCKWISE_EXPANSION", bitwidth: 4, axis, scales, blocks, blockScales };
    }
    if (of === 8) return { encoding: "AXIS_SCALE_OFFSET", axis, scales, offsets };
    return of === 4 ? { encoding: "BW_AXIS_SCALE_OFFSET", bitwidth: 4, axis, scales, offsets } : undefined;
  };
  const linear = (x: Tensor, out: number, of = bits, bias = true, last = false): Tensor => {
    if (islands && x.type === F16) {
      const y = linear(g.op("Quantize", [x], x.dims, { type: U16 }), out, of, bias);
      return g.op("Dequantize", [y], y.dims, { type: last ? F32 : F16, out: last });
    }
    const inner = x.dims.at(-1)!;
    const weight = of === 16 ? F16 : S8;
    const b = bias ? [of === 16 ? g.weight([out], F16) : g.weight([out], S32)] : [];
    if (form.linear === "conv2d" || (form.blockSize && of === 4)) {
      const params = [counts("stride", [1, 1]), counts("pad_amount", [0, 0, 0, 0], [2, 2])];
      const w = g.weight([1, 1, inner, out], weight, perChannel(out, 3, of, inner));
      const n = x.dims.at(-2)!;
      const y = g.op("Conv2d", [reshape(x, [1, 1, n, inner]), w, ...b], [1, 1, n, out], { params });
      return g.op("Reshape", [y], [n, out], { out: last && fixed });
    }
    return g.op(
      "FullyConnected",
      [x, g.weight([out, inner], weight, perChannel(out, 0, of, inner)), ...b],
      [x.dims[0]!, out],
      { out: last && fixed },
    );
  };
  const norm = (x: Tensor) =>
    g.op("LayerNorm", [x, g.weight([width], type), g.weight([width], fixed ? S32 : F16)], x.dims, {
      params: [real("epsilon", 1e-5), counts("axes", [1])],
    });
  const gelu = (x: Tensor): Tensor => {
    if (form.gelu === "native") return g.op("Gelu", [x], x.dims);
    if (form.gelu === "tiles") {
      const whole = reshape(x, [8, x.dims.reduce((a, b) => a * b, 1) / 8]);
      return reshape(g.op("Gelu", [whole], whole.dims), [...x.dims]);
    }
    if (form.gelu === "sigmoid") {
      const inner = mul(x, add(mul(mul(x, x), scalar(0.0713548)), scalar(1.59577)));
      return mul(x, g.op("Sigmoid", [inner], x.dims));
    }
    const inner = mul(add(x, mul(mul(mul(x, x), x), scalar(0.044715))), scalar(0.797885));
    return mul(mul(x, scalar(0.5)), add(g.op("Tanh", [inner], x.dims), scalar(1)));
  };
  const matmul = (a: Tensor, b: Tensor) =>
    g.op("MatMul", [a, b], [...a.dims.slice(0, -1), b.dims.at(-1)!], {
      params: [flag("transpose_in0", false), flag("transpose_in1", false)],
      quantize: fixed ? scaled(1 / 4096, -32768) : undefined,
    });
  const softmax = (x: Tensor) =>
    g.op("Softmax", [x], x.dims, {
      params: [count("axis", 2), real("beta", 1)],
      quantize: fixed ? scaled(2 ** -16, 0) : undefined,
    });
  const mask = g.input("mask", [1, rows, places + rows], type, fixed ? scaled(100 / 65535, -65535) : undefined);

  /** Of some heads: q [h, T, D], cache and slice of keys [h, D, .], of values [h, ., D]. */
  const attend = (
    q: Tensor,
    keys: readonly Tensor[],
    values: readonly Tensor[],
    raw: readonly [Tensor, Tensor],
  ): Tensor => {
    if (form.join === "keys") return matmul(softmax(add(matmul(q, concat(keys, 2)), mask)), concat(values, 1));
    const elements = form.join === "elements";
    const row = (x: Tensor) =>
      g.op("ReduceSum", [x], [x.dims[0]!, 1, 1], { params: [counts("axes", [2]), flag("keep_dims", true)] });
    const fresh = elements ? row(mul(q, g.op("Reshape", [raw[0]], [q.dims[0]!, 1, dim]))) : matmul(q, keys[1]!);
    const p = softmax(add(concat([matmul(q, keys[0]!), fresh], 2), mask));
    const pNew = slice(p, 2, places, places + rows);
    const second = elements
      ? g.op("ElementWiseMultiply", [pNew, raw[1]], [q.dims[0]!, 1, dim], { quantize: raw[1].quantize })
      : matmul(pNew, values[1]!);
    return add(matmul(slice(p, 2, 0, places), values[0]!), second);
  };
  const attention = (x: Tensor, layer: number): Tensor => {
    const parts = form.qkv === "split" ? [0, 1, 2].map(() => linear(x, width)) : [];
    const qkv = form.qkv === "merged" ? linear(x, 3 * width) : undefined;
    const [q, k, v] = [0, 1, 2].map((i) => parts[i] ?? slice(qkv!, 1, i * width, (i + 1) * width));
    const arrange = (y: Tensor, perm: number[], dims: number[]) =>
      rows === 1
        ? reshape(y, dims)
        : g.op("Transpose", [reshape(y, [rows, heads, dim])], dims, { params: [counts("perm", perm)] });
    const qh = arrange(q!, [1, 0, 2], [heads, rows, dim]);
    const raw = [arrange(k!, [1, 2, 0], [heads, dim, rows]), arrange(v!, [1, 0, 2], [heads, rows, dim])] as const;
    const store = {
      [F32]: "Cast",
      [F16]: "Reshape",
      [U8]: fixed ? "Convert" : "Quantize",
      [U16]: fixed ? "Reshape" : "Quantize",
    }[form.cache]!;
    const slices = raw.map((y) => g.op(store, [y], y.dims, { type: form.cache, out: true }));
    const load = (y: Tensor) =>
      y.type === type || fixed ? y : g.op(y.type === F32 ? "Cast" : "Dequantize", [y], y.dims, { type });
    const keys = [load(g.input(`keys.${layer}`, [heads, dim, places], form.cache)), fixed ? slices[0]! : raw[0]];
    const values = [load(g.input(`values.${layer}`, [heads, places, dim], form.cache)), fixed ? slices[1]! : raw[1]];
    const one = (h: number) => (t: Tensor) => slice(t, 0, h, h + 1);
    const mixed =
      form.heads === "batched"
        ? attend(qh, keys, values, raw)
        : concat(
            Array.from({ length: heads }, (_, h) =>
              attend(one(h)(qh), keys.map(one(h)), values.map(one(h)), [one(h)(raw[0]), one(h)(raw[1])]),
            ),
            0,
          );
    return reshape(
      rows === 1 ? mixed : g.op("Transpose", [mixed], [rows, heads, dim], { params: [counts("perm", [1, 0, 2])] }),
      [rows, width],
    );
  };

  let x = g.input("x", [rows, width], type);
  for (let i = 0; i < form.layers; i++) {
    x = add(x, linear(attention(norm(x), i), width));
    x = add(x, linear(gelu(linear(norm(x), 4 * width)), width));
  }
  x = norm(x);
  if (!form.head) g.op("Reshape", [x], x.dims, { out: true });
  else {
    const of = bits === 16 ? 16 : form.headWeights === "w8" ? 8 : 4;
    const last = rows > 1 ? slice(x, 0, rows - 1, rows) : x;
    const each = form.pieces > 1 ? Math.ceil(vocab / form.pieces / 32) * 32 : vocab;
    for (let start = 0; start < vocab; start += each) {
      const logits = linear(last, Math.min(each, vocab - start), of, false, true);
      if (bits === 16) g.op("Cast", [logits], logits.dims, { type: F32, out: true });
    }
  }
  return g;
}
