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
  const at = (o: Operand, fixed: number): string =>
    [
      `${fixed}`,
      ...parallel.filter((d) => o.strides[d]).map((d) => (o.strides[d] === 1 ? `d${d}` : `d${d}*${o.strides[d]}`)),
    ].join("+");
  const [a, b, c] = operands as [Operand, Operand, Operand];
  const round = elementOf(result!.type).kind === "float" ? (isHalf(elementOf(result!.type)) ? "B.one" : "F") : "";
  const heads = parallel.map((d) => `for(let d${d}=0;d${d}<${sizes[d]};d${d}++)`).join("");
  const sums = points(sizes, inner).map((p) => {
    const fixed = (o: Operand) => p.reduce((n, x, i) => n + x * o.strides[inner[i]!]!, 0);
    const sum = `s+${a.array}[${at(a, fixed(a))}]*${b.array}[${at(b, fixed(b))}]`;
    return round ? `s=${round}(${sum});` : `s=${sum}|0;`;
  });
  e.line(`${heads}{let s=${c.array}[${at(c, 0)}];${sums.join("")}${out.array}[${at(c, 0)}]=s;}`);
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
