/** vector.contract as straight loops over its parallel dimensions with the reduction unrolled: what the matrix unit computes. */
import { arrayAttr, type Op, textAttr, type Value } from "../mlir/op.ts";
import { count, elementOf, rowMajor } from "../mlir/type.ts";
import { type Emitter, isHalf, isVector } from "./emitter.ts";

interface Operand {
  readonly array: string;
  /** Elements between neighbours of each dimension of the iteration. */
  readonly strides: readonly number[];
}

/** Sizes of the iteration, checked to be the same for all operands. */
export function iteration(e: Pick<Emitter, "fail">, op: Op): { sizes: number[]; maps: number[][]; reduced: boolean[] } {
  const maps = arrayAttr(op, "indexing_maps").map((m) => {
    if (m.kind !== "map") return e.fail(op, "its indexing maps are not maps");
    return m.results.map((r) => ("dim" in r ? r.dim : e.fail(op, "a constant in an indexing map is not supported")));
  });
  const reduced = arrayAttr(op, "iterator_types").map((t) => t.kind === "dialect" && t.text.includes("reduction"));
  if (maps.length !== 3) e.fail(op, "needs three indexing maps");
  const sizes = reduced.map(() => 0);
  for (const [i, operand] of op.operands.entries()) {
    const shape = isVector(operand.type) ? operand.type.shape : [];
    if (shape.length !== maps[i]!.length)
      e.fail(op, `operand ${i} has ${shape.length} dimensions; its map has ${maps[i]!.length}`);
    for (const [k, dim] of maps[i]!.entries()) {
      if (sizes[dim] && sizes[dim] !== shape[k]) e.fail(op, `dimension ${dim} is ${sizes[dim]} and ${shape[k]}`);
      sizes[dim] = shape[k]!;
    }
  }
  return { sizes, maps, reduced };
}

/** @param into where the sums go, instead of new storage. */
export function emitContract(e: Emitter, op: Op, into?: Value): boolean {
  if (op.name !== "vector.contract") return false;
  if (!textAttr(op, "kind").includes("<add>")) e.fail(op, "only sums of products are supported");
  const [result] = op.results;
  if (!isVector(result!.type)) return e.fail(op, "a contraction to a scalar is not supported", "vector.reduction");
  const { sizes, maps, reduced } = iteration(e, op);
  const out = into ? e.vector(into) : e.newVector(result!);
  if (into) e.define(result!, out);
  const operands = op.operands.map((o, i): Operand => {
    const v = e.vector(o);
    const own = rowMajor(v.type.shape);
    return { array: v.array, strides: sizes.map((_, d) => (maps[i]!.includes(d) ? own[maps[i]!.indexOf(d)]! : 0)) };
  });
  const parallel = sizes.flatMap((_, d) => (reduced[d] ? [] : [d]));
  const inner = sizes.flatMap((_, d) => (reduced[d] ? [d] : []));
  // Sums along the last parallel dimension are kept side by side: they do not wait for each other.
  const side = parallel.length && sizes[parallel.at(-1)!]! <= 8 ? parallel.at(-1)! : undefined;
  const looped = parallel.filter((d) => d !== side);
  const sums = Array.from({ length: side === undefined ? 1 : sizes[side]! }, (_, i) => i);
  const at = (o: Operand, point: readonly number[], lane: number): string => {
    const fixed = point.reduce(
      (n, x, i) => n + x * o.strides[inner[i]!]!,
      side === undefined ? 0 : lane * o.strides[side]!,
    );
    const terms = looped
      .filter((d) => o.strides[d])
      .map((d) => (o.strides[d] === 1 ? `d${d}` : `d${d}*${o.strides[d]}`));
    return `${o.array}[${[`${fixed}`, ...terms].join("+")}]`;
  };
  const [a, b, c] = operands as [Operand, Operand, Operand];
  const element = elementOf(result!.type);
  const add = (i: number, product: string): string => {
    if (element.kind !== "float") return `s${i}=s${i}+${product}|0;`;
    return `s${i}=${isHalf(element) ? "B.one" : "F"}(s${i}+${product});`;
  };
  // What all sums have in common is read once.
  const shared = side !== undefined && a.strides[side] === 0;
  const steps = points(sizes, inner).map((p) => {
    const factor = (lane: number) => (shared ? "x" : at(a, p, lane));
    return `${shared ? `x=${at(a, p, 0)};` : ""}${sums.map((i) => add(i, `${factor(i)}*${at(b, p, i)}`)).join("")}`;
  });
  const heads = looped.map((d) => `for(let d${d}=0;d${d}<${sizes[d]};d${d}++)`).join("");
  const begin = `let ${["x=0", ...sums.map((i) => `s${i}=${at(c, [], i)}`)].join(",")};`;
  const end = sums.map((i) => `${at({ ...c, array: out.array }, [], i)}=s${i};`).join("");
  e.line(`${heads}{${begin}${steps.join("")}${end}}`);
  return true;
}

/** All index tuples of the given dimensions, in row-major order. */
function points(sizes: readonly number[], dims: readonly number[]): number[][] {
  const total = count(dims.map((d) => sizes[d]!));
  return Array.from({ length: total }, (_, i) => {
    let rest = i;
    return [...dims]
      .reverse()
      .map((d) => {
        const x = rest % sizes[d]!;
        rest = Math.floor(rest / sizes[d]!);
        return x;
      })
      .reverse();
  });
}
