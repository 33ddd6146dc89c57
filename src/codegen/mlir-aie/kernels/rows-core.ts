/** Programs of ops that work on rows: norms, softmax, activations, gates, residuals and rotary embedding, 16 lanes at a time. */
import type { Body, Buffer, Value } from "../body.ts";
import { bf16x16, exponential, f32x16, geluTanh, inverseRoot, reciprocal, silu } from "./math.ts";

export type RowOp =
  | "layerNorm"
  | "normalize"
  | "rmsNorm"
  | "softmax"
  | "geluTanh"
  | "silu"
  | "add"
  | "siluGate"
  | "geluGate"
  | "rope";

export interface RowWork {
  readonly op: RowOp;
  readonly width: number;
  /** Of a norm. */
  readonly eps: number;
  /** Of rope: sizes of a head, whose heads lie side by side in a row. */
  readonly dim: number;
}

/** What a row's program sees: rows of x, of a second operand or the rotation's two, of the result, and a norm's parameters. */
interface Rows {
  readonly b: Body;
  readonly row: Value;
  readonly work: RowWork;
}

const lanes = 16;
const wideAt = ({ b, row }: Rows, name: string, at: Value): Value =>
  b.wide(b.read(b.local(name), [row, at], bf16x16, name));
const put = ({ b, row }: Rows, at: Value, v: Value): void => b.write(b.narrow(v), b.local("out"), [row, at]);
const each = ({ b, work }: Rows, body: (at: Value) => void): void =>
  b.for(work.width, body, { step: lanes, hint: "at" });

/** The sum over a row of what a function makes of 16 of its values, in all lanes. */
function total(r: Rows, of: (at: Value) => Value): Value {
  const { b, work } = r;
  const [sum] = b.fold(work.width / lanes, [b.splat(0, f32x16)], (i, [s]) => [
    b.add(s!, of(b.mul(i, b.index(lanes)))),
  ]) as [Value];
  return b.broadcast(b.reduce("add", sum), f32x16);
}
const mean = (r: Rows, of: (at: Value) => Value): Value => r.b.mul(total(r, of), r.b.splat(1 / r.work.width, f32x16));

/** Normalised values with the norm's scale, and its shift behind it. */
function norm(r: Rows, { centred, params }: { readonly centred: boolean; readonly params: 0 | 1 | 2 }): void {
  const { b, work } = r;
  const middle = centred ? mean(r, (at) => wideAt(r, "x", at)) : undefined;
  const value = (at: Value) => (middle ? b.sub(wideAt(r, "x", at), middle) : wideAt(r, "x", at));
  const spread = mean(r, (at) => {
    const v = value(at);
    return b.mul(v, v);
  });
  const factor = inverseRoot(b, b.add(spread, b.splat(work.eps, f32x16)));
  each(r, (at) => {
    const v = b.mul(value(at), factor);
    const scaled = params > 0 ? b.mul(v, b.read(b.local("params"), [b.index(0), at], f32x16, "scale")) : v;
    const shifted = params > 1 ? b.add(scaled, b.read(b.local("params"), [b.index(1), at], f32x16, "shift")) : scaled;
    put(r, at, shifted);
  });
}

function softmax(r: Rows): void {
  const { b, row, work } = r;
  const low = b.splat(-3e38, bf16x16);
  const [best] = b.fold(work.width / lanes, [low], (i, [m]) => [
    b.max(m!, b.read(b.local("x"), [row, b.mul(i, b.index(lanes))], bf16x16, "x")),
  ]) as [Value];
  const top = b.wide(b.broadcast(b.reduce("maximumf", best), bf16x16));
  // Weights are rounded to bf16 before they are summed, so that a row sums to 1 as closely as its results can.
  const sum = total(r, (at) => {
    const weight = exponential(b, b.sub(wideAt(r, "x", at), top));
    put(r, at, weight);
    return weight;
  });
  const share = reciprocal(b, sum);
  each(r, (at) => put(r, at, b.mul(b.wide(b.read(b.local("out"), [row, at], bf16x16, "weight")), share)));
}

/** Turns pairs of the two halves of every head by the angles of the row. */
function rope(r: Rows): void {
  const { b, row, work } = r;
  const half = work.dim / 2;
  b.for(
    work.width,
    (head) =>
      b.for(
        half,
        (i) => {
          const at = b.add(head, i);
          const after = b.add(at, b.index(half));
          const [low, high] = [wideAt(r, "x", at), wideAt(r, "x", after)];
          const angle = (name: string) => b.wide(b.read(b.local(name), [row, i], bf16x16, name));
          const [cos, sin] = [angle("cos"), angle("sin")];
          put(r, at, b.sub(b.mul(low, cos), b.mul(high, sin)));
          put(r, after, b.add(b.mul(high, cos), b.mul(low, sin)));
        },
        { step: lanes, hint: "i" },
      ),
    { step: work.dim, hint: "head" },
  );
}

const gate = (r: Rows, f: (b: Body, x: Value) => Value): void =>
  each(r, (at) => put(r, at, r.b.mul(f(r.b, wideAt(r, "x", at)), wideAt(r, "y", at))));

/** Every op: what it does with a row, vectors of parameters, how many operands of rows it has, and modelled cycles for 16 values. */
export const rowOps = {
  layerNorm: { row: (r) => norm(r, { centred: true, params: 2 }), params: 2, operands: 1, cycles: 16 },
  normalize: { row: (r) => norm(r, { centred: true, params: 0 }), params: 0, operands: 1, cycles: 12 },
  rmsNorm: { row: (r) => norm(r, { centred: false, params: 1 }), params: 1, operands: 1, cycles: 10 },
  softmax: { row: softmax, params: 0, operands: 1, cycles: 23 },
  geluTanh: {
    row: (r) => each(r, (at) => put(r, at, geluTanh(r.b, wideAt(r, "x", at)))),
    params: 0,
    operands: 1,
    cycles: 51,
  },
  silu: { row: (r) => each(r, (at) => put(r, at, silu(r.b, wideAt(r, "x", at)))), params: 0, operands: 1, cycles: 44 },
  add: {
    row: (r) => each(r, (at) => put(r, at, r.b.add(wideAt(r, "x", at), wideAt(r, "y", at)))),
    params: 0,
    operands: 2,
    cycles: 3,
  },
  siluGate: { row: (r) => gate(r, silu), params: 0, operands: 2, cycles: 47 },
  geluGate: { row: (r) => gate(r, geluTanh), params: 0, operands: 2, cycles: 54 },
  rope: { row: rope, params: 0, operands: 3, cycles: 8 },
} satisfies Record<RowOp, { row: (r: Rows) => void; params: 0 | 1 | 2; operands: 1 | 2 | 3; cycles: number }>;

/**
 * Ports x, out [rows, width]; y as x, or of rope the cosines, then the sines [rows, dim / 2]; p [parameters, width] in f32, kept
 * for the whole run. Local cos as y, of rope.
 */
export function rowProgram(work: RowWork, chunks: number): (b: Body) => void {
  const { row, params, operands } = rowOps[work.op] as (typeof rowOps)[RowOp];
  const run = (b: Body, buffers: Readonly<Record<string, Buffer>>) =>
    b.call(work.op, buffers, [], (f) => {
      const rows = f.local("x").type.shape[0]!;
      f.for(rows, (i) => row({ b: f, row: i, work }), { hint: "row" });
    });
  return (b) => {
    const kept = params > 0 ? { params: b.acquire("p", "Consume") } : {};
    b.for(
      chunks,
      () => {
        const cos = operands === 3 ? { cos: b.local("cos") } : {};
        if (operands === 3) {
          const angles = b.acquire("y", "Consume");
          b.call("keep", { angles, ...cos }, [], keep);
          b.release("y", "Consume");
        }
        const x = b.acquire("x", "Consume");
        const second = operands === 1 ? {} : { [operands === 2 ? "y" : "sin"]: b.acquire("y", "Consume") };
        const out = b.acquire("out", "Produce");
        run(b, { x, ...second, ...cos, ...kept, out });
        b.release("x", "Consume");
        if (operands > 1) b.release("y", "Consume");
        b.release("out", "Produce");
      },
      { hint: "chunk" },
    );
    if (params > 0) b.release("p", "Consume");
  };
}

function keep(b: Body): void {
  const [rows, width] = b.local("cos").type.shape as [number, number];
  b.for(rows, (row) =>
    b.for(width, (at) => b.write(b.read(b.local("angles"), [row, at], bf16x16), b.local("cos"), [row, at]), {
      step: lanes,
      hint: "at",
    }),
  );
}
