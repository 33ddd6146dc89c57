/** Custom syntax of the dialect memref, as far as a core without an allocator needs it. */
import type { Attr } from "../attribute.ts";
import type { Value } from "../op.ts";
import type { Parser, Syntaxes } from "../parser.ts";
import { count, index, type MemRefType } from "../type.ts";

/** Marks an operand among static numbers. */
export const dynamic = -(2 ** 63);

/** `[%i, 4]`: operands, and numbers with a mark where an operand stands. */
export function mixed(p: Parser): { operands: Value[]; numbers: Attr } {
  const operands: Value[] = [];
  const values: number[] = [];
  p.in.need("[");
  p.in.list("]", () => {
    if (p.in.text[p.in.position] !== "%") return void values.push(p.integer());
    operands.push(p.use(index));
    values.push(dynamic);
  });
  return { operands, numbers: { kind: "ints", width: 64, values } };
}

const segments = (...values: number[]): Attr => ({ kind: "ints", width: 32, values });

const memrefs = (p: Parser, from: Value): MemRefType => {
  p.in.need(":");
  p.agree(from, p.memref());
  p.in.take(/to\b|into\b/, "to");
  return p.memref();
};

/** `[[0, 1], [2]]`. */
const groups = (p: Parser): Attr => p.attr();

/** A reshape must keep the number of elements. */
const reshaped = (p: Parser, from: Value, to: MemRefType): MemRefType =>
  from.type.kind === "memref" && count(from.type.shape) === count(to.shape)
    ? to
    : p.in.fail("the shapes hold different numbers of elements");

export const memref: Syntaxes = {
  "memref.load": (p) => {
    const from = p.use();
    const indices = p.indices();
    p.in.need(":");
    const type = p.memref();
    if (indices.length !== type.shape.length) p.in.fail(`${type.shape.length} indices are needed`);
    return { operands: [p.agree(from, type), ...indices], results: [type.element] };
  },
  "memref.store": (p) => {
    const value = p.use();
    p.in.need(",");
    const to = p.use();
    const indices = p.indices();
    p.in.need(":");
    const type = p.memref();
    if (indices.length !== type.shape.length) p.in.fail(`${type.shape.length} indices are needed`);
    return { operands: [p.agree(value, type.element), p.agree(to, type), ...indices] };
  },
  "memref.alloca": (p) => {
    p.in.need("(");
    p.in.need(")");
    const attrs = p.attrDict();
    p.in.need(":");
    return { attrs: { operandSegmentSizes: segments(0, 0), ...attrs }, results: [p.memref()] };
  },
  "memref.subview": (p) => {
    const from = p.use();
    const [offsets, sizes, strides] = [mixed(p), mixed(p), mixed(p)];
    const type = memrefs(p, from);
    return {
      operands: [from, ...offsets.operands, ...sizes.operands, ...strides.operands],
      attrs: {
        operandSegmentSizes: segments(1, offsets.operands.length, sizes.operands.length, strides.operands.length),
        static_offsets: offsets.numbers,
        static_sizes: sizes.numbers,
        static_strides: strides.numbers,
      },
      results: [type],
    };
  },
  "memref.collapse_shape": (p) => {
    const from = p.use();
    const reassociation = groups(p);
    return { operands: [from], attrs: { reassociation }, results: [reshaped(p, from, memrefs(p, from))] };
  },
  "memref.expand_shape": (p) => {
    const from = p.use();
    const reassociation = groups(p);
    p.in.take(/output_shape\b/, "output_shape");
    const { operands, numbers } = mixed(p);
    if (operands.length > 0) p.in.fail("sizes that are not known before the run are not supported");
    const type = reshaped(p, from, memrefs(p, from));
    return { operands: [from], attrs: { reassociation, static_output_shape: numbers }, results: [type] };
  },
};
