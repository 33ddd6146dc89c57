/** Checks shared by the type inference of several ops. Each throws an Error that says what was found and what is needed. */
import { isBlock } from "../../blocks.ts";
import { broadcast, type Dim, isFloat, type Shape, sameDim, showDim, showType, type TensorType } from "../../type.ts";

type Types = Readonly<Record<string, TensorType>>;

/** The named types as a sentence: `a f32[4x8], b f32[8]`. */
export const listed = (types: Types): string =>
  Object.entries(types)
    .map(([name, t]) => `${name} ${showType(t)}`)
    .join(", ");

/** All have one element type. @returns it */
export function sameDType(types: Types): TensorType["dtype"] {
  const [first, ...rest] = Object.values(types);
  if (rest.some((t) => t.dtype !== first!.dtype))
    throw new Error(`element types differ: ${listed(types)}; cast one of them`);
  return first!.dtype;
}

export function needFloat(types: Types): void {
  for (const [name, t] of Object.entries(types))
    if (!isFloat(t.dtype)) throw new Error(`${name} must hold floats, not ${showType(t)}; cast it first`);
}

/** Numpy broadcasting of all. @throws Error naming every operand. */
export function broadcastAll(types: Types): Shape {
  let shape: Shape | undefined = [];
  for (const t of Object.values(types)) {
    shape = broadcast(shape, t.shape);
    if (!shape) throw new Error(`shapes do not broadcast: ${listed(types)}`);
  }
  return shape;
}

/** `t` has exactly the given axes; those that are undefined may have any size. */
export function needShape(name: string, t: TensorType, axes: string, ...sizes: (Dim | undefined)[]): void {
  const fits = t.shape.length === sizes.length && sizes.every((d, i) => d === undefined || sameDim(d, t.shape[i]!));
  if (fits) return;
  const wanted = axes.split(", ").map((axis, i) => {
    const size = sizes[i];
    return size === undefined || axis === showDim(size) ? axis : `${axis}=${showDim(size)}`;
  });
  throw new Error(`${name} must be [${wanted.join(", ")}], not ${showType(t)}`);
}

/** `t` is one i32, the way positions are passed. */
export function needPosition(name: string, t: TensorType): void {
  if (t.dtype !== "i32" || t.shape.length !== 1 || t.shape[0] !== 1)
    throw new Error(`${name} must be i32[1], not ${showType(t)}`);
}

/** A size that an op must calculate with. @throws Error where it is still a symbol. */
export function needNumber(what: string, d: Dim): number {
  if (typeof d === "number") return d;
  throw new Error(
    `${what} must be a number here but is the symbol ${showDim(d)}: bind the graph first (bind(graph, { ${showDim(d)}: ${d.max} }))`,
  );
}

/** A weight may be narrower than the activations that it meets: f16, bf16 or in blocks under f32. */
export function needWeight(name: string, w: TensorType, x: TensorType): void {
  const narrow = w.dtype === "f16" || w.dtype === "bf16" || isBlock(w.dtype);
  if (w.dtype !== x.dtype && !(narrow && x.dtype === "f32"))
    throw new Error(
      `${name} ${showType(w)} does not go with ${x.dtype} activations: it must be ${x.dtype}${x.dtype === "f32" ? ", f16, bf16 or a block type such as q8_0" : ""}`,
    );
}
