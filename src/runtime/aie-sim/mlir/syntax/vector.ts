/** Custom syntax of the dialect vector. */
import type { Attr } from "../attribute.ts";
import type { Body, Parser, Syntaxes } from "../parser.ts";
import { count, elementOf, isScalar, type ScalarType, type Type, type VectorType } from "../type.ts";
import { mixed } from "./memref.ts";

const ints = (values: readonly number[]): Attr => ({ kind: "ints", width: 64, values });
const segments = (...values: number[]): Attr => ({ kind: "ints", width: 32, values });
const kind = (name: string): Attr => ({ kind: "dialect", text: `#vector.kind<${name}>` });

const vectorType = (p: Parser): VectorType => {
  const at = p.in.position;
  const type = p.type();
  return type.kind === "vector" ? type : p.in.fail("expected a vector type", at);
};

/** Read and written memory: the last dimensions in order, unless the text has another map. */
const minorIdentity = (rank: number, lanes: number): Attr => ({
  kind: "map",
  dims: rank,
  results: Array.from({ length: lanes }, (_, i) => ({ dim: rank - lanes + i })),
});

const transferAttrs = (p: Parser, attrs: Readonly<Record<string, Attr>>, rank: number, type: VectorType) => {
  const bounds = attrs.in_bounds ?? { kind: "array", items: type.shape.map(() => ({ kind: "bool", value: false })) };
  if (bounds.kind !== "array" || bounds.items.length !== type.shape.length)
    return p.in.fail("in_bounds says true or false for every dimension of the vector");
  return { permutation_map: attrs.permutation_map ?? minorIdentity(rank, type.shape.length), in_bounds: bounds };
};

const castTo =
  (check: (p: Parser, from: VectorType, to: VectorType) => boolean, reason: string) =>
  (p: Parser): Body => {
    const value = p.use();
    p.in.need(":");
    p.agree(value, p.type());
    p.in.take(/to\b/, "to");
    const type = vectorType(p);
    if (value.type.kind !== "vector" || !check(p, value.type, type)) p.in.fail(reason);
    return { operands: [value], results: [type] };
  };

const numbers = (p: Parser): number[] => {
  p.in.need("[");
  return p.in.list("]", () => p.integer());
};

/** `[0, %i]` of extract and insert. */
const position = (p: Parser) => (p.in.text[p.in.position] === "[" ? mixed(p) : { operands: [], numbers: ints([]) });

const listed = (a: Attr | undefined): number[] =>
  a?.kind === "array" ? a.items.map((i) => (i.kind === "int" ? i.value : 0)) : [];

/** What is left of a vector's type after leading positions are taken. */
const inner = (t: VectorType, taken: number): ScalarType | VectorType =>
  taken === t.shape.length ? t.element : { ...t, shape: t.shape.slice(taken) };

const pairShuffled = (p: Parser): Body => {
  const [a, b] = [p.use(), p.another()];
  const mask = numbers(p);
  p.in.need(":");
  const left = vectorType(p);
  p.in.need(",");
  p.agree(b, vectorType(p));
  return {
    operands: [p.agree(a, left), b],
    attrs: { mask: ints(mask) },
    results: [{ ...left, shape: [mask.length, ...left.shape.slice(1)] }],
  };
};

export const vector: Syntaxes = {
  "vector.transfer_read": (p) => {
    const from = p.use();
    const indices = p.indices();
    p.in.need(",");
    const padding = p.use();
    const attrs = p.attrDict();
    p.in.need(":");
    const memory = p.memref();
    p.in.need(",");
    const type = vectorType(p);
    if (indices.length !== memory.shape.length) p.in.fail(`${memory.shape.length} indices are needed`);
    return {
      operands: [p.agree(from, memory), ...indices, p.agree(padding, memory.element)],
      attrs: {
        operandSegmentSizes: segments(1, indices.length, 1, 0),
        ...transferAttrs(p, attrs, memory.shape.length, type),
      },
      results: [type],
    };
  },
  "vector.transfer_write": (p) => {
    const value = p.use();
    p.in.need(",");
    const to = p.use();
    const indices = p.indices();
    const attrs = p.attrDict();
    p.in.need(":");
    const type = vectorType(p);
    p.in.need(",");
    const memory = p.memref();
    if (indices.length !== memory.shape.length) p.in.fail(`${memory.shape.length} indices are needed`);
    return {
      operands: [p.agree(value, type), p.agree(to, memory), ...indices],
      attrs: {
        operandSegmentSizes: segments(1, 1, indices.length, 0),
        ...transferAttrs(p, attrs, memory.shape.length, type),
      },
    };
  },
  "vector.load": (p) => {
    const from = p.use();
    const indices = p.indices();
    p.in.need(":");
    p.agree(from, p.memref());
    p.in.need(",");
    return { operands: [from, ...indices], results: [vectorType(p)] };
  },
  "vector.store": (p) => {
    const value = p.use();
    p.in.need(",");
    const to = p.use();
    const indices = p.indices();
    p.in.need(":");
    p.agree(to, p.memref());
    p.in.need(",");
    return { operands: [p.agree(value, p.type()), to, ...indices] };
  },
  "vector.contract": (p) => {
    const attrs = p.attrDict();
    const [a, b, c] = [p.use(), p.another(), p.another()];
    p.in.need(":");
    p.agree(a, p.type());
    p.in.need(",");
    p.agree(b, p.type());
    p.in.take(/into\b/, "into");
    const type = p.type();
    const iterators = attrs.iterator_types;
    if (attrs.indexing_maps?.kind !== "array" || iterators?.kind !== "array")
      return p.in.fail("a contraction has indexing_maps and iterator_types");
    const iterator_types: Attr = {
      kind: "array",
      items: iterators.items.map((i) =>
        i.kind === "string" ? { kind: "dialect", text: `#vector.iterator_type<${i.value}>` } : i,
      ),
    };
    return {
      operands: [a, b, p.agree(c, type)],
      attrs: { kind: kind("add"), ...attrs, iterator_types },
      results: [type],
    };
  },
  "vector.fma": (p) => {
    const operands = [p.use(), p.another(), p.another()];
    p.in.need(":");
    const type = vectorType(p);
    for (const o of operands) p.agree(o, type);
    return { operands, results: [type] };
  },
  "vector.broadcast": (p) => {
    const value = p.use();
    p.in.need(":");
    p.agree(value, p.type());
    p.in.take(/to\b/, "to");
    const type = vectorType(p);
    const from = value.type.kind === "vector" ? value.type.shape : [];
    const tail = type.shape.slice(type.shape.length - from.length);
    if (from.length > type.shape.length || from.some((d, i) => d !== 1 && d !== tail[i]))
      p.in.fail("the shapes do not broadcast");
    return { operands: [value], results: [type] };
  },
  "vector.reduction": (p) => {
    const [, name] = p.in.take(/<(\w+)>\s*,/, "<add>, or another kind");
    const value = p.use();
    const more = p.in.has(",") ? [p.use()] : [];
    p.in.try(/fastmath<[^>]*>/);
    p.in.need(":");
    const from = vectorType(p);
    p.in.take(/into\b/, "into");
    const type = p.type();
    return { operands: [p.agree(value, from), ...more], attrs: { kind: kind(name!) }, results: [type] };
  },
  "vector.multi_reduction": (p) => {
    const [, name] = p.in.take(/<(\w+)>\s*,/, "<add>, or another kind");
    const [value, acc] = [p.use(), p.another()];
    const reduction_dims = ints(numbers(p));
    p.in.need(":");
    p.agree(value, vectorType(p));
    p.in.take(/to\b/, "to");
    const type = p.type();
    return { operands: [value, p.agree(acc, type)], attrs: { kind: kind(name!), reduction_dims }, results: [type] };
  },
  "vector.shape_cast": castTo(
    (_, from, to) => count(from.shape) === count(to.shape) && elementOf(from).kind === elementOf(to).kind,
    "the shapes hold different numbers of elements",
  ),
  "vector.bitcast": castTo((_, from, to) => from.shape.length === to.shape.length, "the ranks differ"),
  "vector.transpose": (p) => {
    const value = p.use();
    p.in.need(",");
    const permutation = numbers(p);
    p.in.need(":");
    const from = vectorType(p);
    p.in.take(/to\b/, "to");
    const type = vectorType(p);
    if (permutation.some((d, i) => from.shape[d] !== type.shape[i])) p.in.fail("the shapes do not fit the permutation");
    return { operands: [p.agree(value, from)], attrs: { permutation: ints(permutation) }, results: [type] };
  },
  "vector.extract": (p) => {
    const value = p.use();
    const { operands, numbers: static_position } = position(p);
    p.in.need(":");
    const type = p.type();
    p.in.take(/from\b/, "from");
    const from = vectorType(p);
    checkInner(p, from, static_position, type);
    return { operands: [p.agree(value, from), ...operands], attrs: { static_position }, results: [type] };
  },
  "vector.insert": (p) => {
    const value = p.use();
    p.in.need(",");
    const to = p.use();
    const { operands, numbers: static_position } = position(p);
    p.in.need(":");
    const type = p.type();
    p.in.take(/into\b/, "into");
    const into = vectorType(p);
    checkInner(p, into, static_position, type);
    return {
      operands: [p.agree(value, type), p.agree(to, into), ...operands],
      attrs: { static_position },
      results: [into],
    };
  },
  "vector.extract_strided_slice": (p) => {
    const value = p.use();
    const attrs = p.attrDict();
    p.in.need(":");
    const from = vectorType(p);
    p.in.take(/to\b/, "to");
    const type = vectorType(p);
    const [offsets, sizes] = [listed(attrs.offsets), listed(attrs.sizes)];
    if (sizes.some((n, i) => offsets[i]! < 0 || offsets[i]! + n > from.shape[i]! || type.shape[i] !== n))
      p.in.fail("the slice leaves the vector, or its type does not fit it");
    return { operands: [p.agree(value, from)], attrs, results: [type] };
  },
  "vector.insert_strided_slice": (p) => {
    const value = p.use();
    p.in.need(",");
    const to = p.use();
    const attrs = p.attrDict();
    p.in.need(":");
    const from = vectorType(p);
    p.in.take(/into\b/, "into");
    const type = vectorType(p);
    const offsets = listed(attrs.offsets);
    const lead = type.shape.length - from.shape.length;
    if (offsets.some((o, i) => o < 0 || o + (i < lead ? 1 : from.shape[i - lead]!) > type.shape[i]!))
      p.in.fail("the slice leaves the vector");
    return { operands: [p.agree(value, from), p.agree(to, type)], attrs, results: [type] };
  },
  "vector.shuffle": pairShuffled,
};

function checkInner(p: Parser, from: VectorType, at: Attr, type: Type): void {
  const positions = at.kind === "ints" ? at.values : [];
  if (positions.some((n, i) => n >= from.shape[i]!)) p.in.fail("the position is outside of the vector");
  const expected = inner(from, positions.length);
  const shape = (t: Type): string => (isScalar(t) ? "" : t.kind === "vector" ? t.shape.join("x") : "?");
  if (shape(expected) !== shape(type)) p.in.fail("the type does not fit the position");
}
