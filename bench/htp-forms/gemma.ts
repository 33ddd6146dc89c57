/** One row of Gemma 3 270M in fixed point in the forms that were tried on HTP: which are chosen and why is in docs/htp-legalisation.md. */
import type { QnnDataType } from "../../src/codegen/qnn/types.ts";
import {
  axisOf,
  count,
  counts,
  flag,
  perChannel,
  type Quantize,
  real,
  S8,
  Sketch,
  scaled,
  type Tensor,
  U8,
  U16,
} from "./sketch.ts";

export interface GemmaForm {
  readonly layers: number;
  readonly places: number;
  /** With the head of 262,144 rows in 8 bits. */
  readonly head: boolean;
  /** Outputs that the head is cut into. */
  readonly pieces: number;
  readonly precision: "w8" | "w4";
  /** Of cache and new token: both joined before the products, as scores (`flat`: softmax over one matrix), or one of the two. */
  readonly join: "keys" | "elements" | "elements-flat" | "for-scores" | "for-values" | "keys-flat" | "nothing";
  /** Type of keys and of values that are kept: all in 8 bits, all in 16, or one of the two in 16. */
  readonly cache: "u8" | "u16" | "keys-u16" | "values-u16";
  /** Before products, of a balanced stream: the gain after one over the length, or out of LayerNorm with the constant last, first ... */
  readonly norm: "apart" | "last" | "first" | "concat" | "narrow" | "pairs" | "layer" | "none";
  /** After products: LayerNorm over a row and its negative, made by signs or by Concat in steps that are equal or not. */
  readonly post: "signs" | "concat" | "differing" | "converted" | "multiplied" | "layer" | "none";
  /** Of queries and keys: RmsNorm over [heads, 1, dim], over [heads, dim], both in one, or LayerNorm over pairs. */
  readonly heads: "stack" | "matrix" | "together" | "pairs" | "none";
  readonly rotary: "halves" | "whole" | "permutation" | "none";
  readonly gate: "native" | "tiles" | "none";
}

export const gemmaChoices: Readonly<Partial<Record<keyof GemmaForm, readonly string[]>>> = {
  join: ["keys", "elements", "elements-flat", "for-scores", "for-values", "keys-flat", "nothing"],
  cache: ["u8", "u16", "keys-u16", "values-u16"],
  norm: ["apart", "last", "first", "concat", "narrow", "pairs", "layer", "none"],
  post: ["signs", "concat", "differing", "converted", "multiplied", "layer", "none"],
  heads: ["stack", "matrix", "together", "pairs", "none"],
  rotary: ["halves", "whole", "permutation", "none"],
  gate: ["native", "tiles", "none"],
  pieces: ["1", "4", "8", "16"],
};

const [width, heads, dim, hidden, vocab, positions] = [640, 4, 256, 2048, 262144, 2048];
/** Every sixth layer has no window and other angles. */
const period = 6;

export function gemma(form: GemmaForm): Sketch {
  const { places } = form;
  const g = new Sketch();
  const made = new Map<string, Tensor>();
  const once = (name: string, build: () => Tensor): Tensor => {
    if (!made.has(name)) made.set(name, build());
    return made.get(name)!;
  };
  // Values differ in their steps, as calibrated ones do.
  let steps = 4000;
  const own = () => scaled(1 / ++steps, -32768);
  const w = (...dims: number[]) => g.weight(dims, U16);
  const binary =
    (op: string) =>
    (a: Tensor, b: Tensor, quantize: Quantize | undefined = own()): Tensor => {
      const rank = Math.max(a.dims.length, b.dims.length);
      const at = (t: Tensor, i: number) => t.dims[i - rank + t.dims.length] ?? 1;
      const dims = Array.from({ length: rank }, (_, i) => Math.max(at(a, i), at(b, i)));
      return g.op(op, [a, b], dims, { quantize });
    };
  const [add, mul, sub] = ["Add", "Multiply", "Subtract"].map((op) => binary(`ElementWise${op}`)) as [
    Binary,
    Binary,
    Binary,
  ];
  type Binary = ReturnType<typeof binary>;
  const norm = (op: string) => (x: Tensor) =>
    g.op(op, [x, w(x.dims.at(-1)!)], x.dims, { params: [real("epsilon", 1e-6), axisOf(x)], quantize: own() });
  const [layerNorm, rmsNorm] = [norm("LayerNorm"), norm("RmsNorm")];
  const linear = (x: Tensor, out: number, bits = form.precision === "w8" ? 8 : 4, last = false) =>
    g.op("FullyConnected", [x, g.weight([out, x.dims.at(-1)!], S8, perChannel(out, bits))], [x.dims[0]!, out], {
      out: last,
      quantize: own(),
    });
  const matmul = (a: Tensor, b: Tensor) =>
    g.op("MatMul", [a, b], [...a.dims.slice(0, -1), b.dims.at(-1)!], {
      params: [flag("transpose_in0", false), flag("transpose_in1", false)],
      quantize: own(),
    });
  const row = (name: string, rows: number, columns: number) =>
    once(name, () => {
      const position = once("position", () => g.input("position", [1], "INT_32"));
      const params = [{ name: "axis", scalar: { dataType: "INT_32", value: 0 } as const }];
      return g.op("Gather", [w(rows, columns), position], [1, columns], { params });
    });

  const [divided, whole] = [(n: number) => once(`d${n}`, () => w(n, width)), () => once("minus", () => w(width))];
  const before = (x: Tensor): Tensor => {
    if (form.norm === "none") return x;
    if (form.norm === "layer") return layerNorm(x);
    if (form.norm === "pairs") return g.slice(layerNorm(g.concat([x, mul(x, whole(), x.quantize)], 1)), 1, 0, width);
    const parts = () => [
      mul(x, divided(1)),
      mul(
        x,
        once("negative", () => w(1, width)),
      ),
    ];
    if (form.norm === "narrow") {
      const lengths = layerNorm(g.concat([...parts(), once("c32", () => w(1, 32))], 1));
      return mul(x, g.concat(Array(width / 32).fill(g.slice(lengths, 1, 2 * width, 2 * width + 32)), 1));
    }
    const wide =
      form.norm === "concat"
        ? g.concat([once("c", () => w(1, width)), ...parts()], 1)
        : add(
            g.reshape(mul(x, divided(3)), [1, 3 * width]),
            once("c3", () => w(3 * width)),
          );
    const at = form.norm === "first" || form.norm === "concat" ? 0 : 2 * width;
    const scaledRow = mul(x, g.slice(layerNorm(wide), 1, at, at + width));
    return form.norm === "apart" ? mul(scaledRow, w(width)) : scaledRow;
  };
  const after = (x: Tensor): Tensor => {
    if (form.post === "none") return x;
    if (form.post === "layer") return layerNorm(x);
    const end = (pairs: Tensor) => g.slice(layerNorm(pairs), 1, 0, width);
    if (form.post === "signs")
      return end(
        g.reshape(
          mul(
            x,
            once("signs", () => w(2, 1)),
          ),
          [1, 2 * width],
        ),
      );
    const to = form.post === "concat" ? x.quantize : own();
    const first = {
      concat: () => x,
      differing: () => x,
      converted: () => g.op("Convert", [x], x.dims, { quantize: to }),
      multiplied: () =>
        mul(
          x,
          once("plus", () => w(width)),
          to,
        ),
    }[form.post]();
    return end(g.concat([first, mul(x, whole(), to)], 1, to));
  };

  const rotate = (x: Tensor, kind: string): Tensor => {
    if (form.rotary === "none") return x;
    const axis = x.dims.length - 1;
    const halves = [g.slice(x, axis, 0, dim / 2), g.slice(x, axis, dim / 2, dim)] as const;
    const [a, b] = halves;
    if (form.rotary === "halves") {
      const [cos, sin] = [row(`${kind}.cos`, positions, dim / 2), row(`${kind}.sin`, positions, dim / 2)];
      return g.concat([sub(mul(a, cos), mul(b, sin)), add(mul(b, cos), mul(a, sin))], axis);
    }
    const [cos, sin] = [row(`${kind}.cos`, positions, dim), row(`${kind}.sin`, positions, dim)];
    const rows = x.dims.reduce((n, d) => n * d, 1) / dim;
    const turned =
      form.rotary === "whole"
        ? g.concat([b, a], axis)
        : g.reshape(linear(g.reshape(x, [rows, dim]), dim, 8), [...x.dims]);
    return add(mul(x, cos), mul(turned, sin));
  };
  const soft = (scores: Tensor, mask: Tensor, flat: boolean): Tensor => {
    const rows = flat ? scores : g.reshape(scores, [heads, 1, places + 1]);
    const params = [count("axis", 2), real("beta", 1)];
    const p = g.op("Softmax", [add(rows, mask)], rows.dims, { params, quantize: scaled(2 ** -16, 0) });
    return g.reshape(p, [1, heads, places + 1]);
  };
  const attend = (q: Tensor, k: Tensor, v: Tensor, mask: Tensor, layer: number): Tensor => {
    const typeOf = (part: string): QnnDataType => (form.cache === "u16" || form.cache.startsWith(part) ? U16 : U8);
    const [keys, values] = [typeOf("keys"), typeOf("values")];
    const stored = (x: Tensor, dims: number[], type: QnnDataType) =>
      g.op("Convert", [g.reshape(x, dims)], dims, { type, out: true });
    const slices = [stored(k, [1, dim, 1], keys), stored(v, [1, 1, dim], values)] as const;
    if (form.join === "nothing") return q;
    const caches = [
      g.input(`k${layer}`, [1, dim, places], keys),
      g.input(`v${layer}`, [1, places, dim], values),
    ] as const;
    const joined = (i: 0 | 1) => g.concat([caches[i], slices[i]], 2 - i);
    const elements = form.join.startsWith("elements");
    const sums = () => {
      const params = [counts("axes", [2]), flag("keep_dims", true)];
      return g.op("ReduceSum", [mul(q, k)], [1, heads, 1], { params, quantize: own() });
    };
    const scores =
      elements || form.join === "for-values" ? g.concat([matmul(q, caches[0]), sums()], 2) : matmul(q, joined(0));
    const p = soft(scores, mask, form.join.endsWith("flat"));
    if (!elements && form.join !== "for-scores") return matmul(p, joined(1));
    const [earlier, fresh] = [g.slice(p, 2, 0, places), g.slice(p, 2, places, places + 1)];
    return add(matmul(earlier, caches[1]), mul(fresh, v));
  };
  const normOfHeads = (x: Tensor): Tensor => {
    const n = x.dims.at(-1)! / dim;
    const [stack, matrix] = [
      [n, 1, dim],
      [n, dim],
    ];
    if (form.heads === "none") return g.reshape(x, stack);
    if (form.heads === "stack" || n === 1) return rmsNorm(g.reshape(x, stack));
    const y = g.reshape(x, matrix);
    if (form.heads !== "pairs") return g.reshape(rmsNorm(y), stack);
    return g.reshape(g.slice(layerNorm(g.concat([y, mul(y, w(dim), y.quantize)], 1)), 1, 0, dim), stack);
  };
  const gated = (x: Tensor): Tensor => {
    const [gate, up] = [g.slice(x, 1, 0, hidden), g.slice(x, 1, hidden, 2 * hidden)];
    if (form.gate === "none") return mul(gate, up);
    const tiles = [8, hidden / 8];
    const active = g.op("Gelu", [g.reshape(gate, tiles)], tiles, { quantize: own() });
    return form.gate === "tiles"
      ? g.reshape(mul(active, g.reshape(up, tiles)), [1, hidden])
      : mul(g.reshape(active, [1, hidden]), up);
  };

  let x = g.input("x", [1, width], U16);
  for (let i = 0; i < form.layers; i++) {
    const kind = (i + 1) % period ? "local" : "global";
    const qkv = linear(before(x), (heads + 2) * dim);
    const part = (from: number, to: number) => g.slice(qkv, 1, from * dim, to * dim);
    let [q, k] = [] as Tensor[];
    if (form.heads === "together") {
      const rows = mul(rmsNorm(g.reshape(part(0, heads + 1), [heads + 1, dim])), w(heads + 1, dim));
      const turned = rotate(rows, kind);
      [q, k] = [g.slice(turned, 0, 0, heads), g.slice(turned, 0, heads, heads + 1)];
    } else {
      const scale = once("scale", () => g.constant([65535], U16, scaled(1 / 65535, 0)));
      q = mul(rotate(normOfHeads(part(0, heads)), kind), scale);
      k = rotate(normOfHeads(part(heads, heads + 1)), kind);
    }
    const mask = row(`mask.${kind}`, places, places + 1);
    const v = g.reshape(part(heads + 1, heads + 2), [1, 1, dim]);
    const mixed = attend(g.reshape(q!, [1, heads, dim]), g.reshape(k!, [1, 1, dim]), v, mask, i);
    const attended = add(x, after(linear(g.reshape(mixed, [1, heads * dim]), width)));
    x = add(attended, after(linear(gated(linear(before(attended), 2 * hidden)), width)));
  }
  const last = before(x);
  if (!form.head) g.op("Reshape", [last], last.dims, { out: true });
  else for (let i = 0; i < form.pieces; i++) linear(last, vocab / form.pieces, 8, true);
  return g;
}
