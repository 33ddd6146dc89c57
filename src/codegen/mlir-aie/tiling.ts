/**
 * How a tensor lies in a buffer of a kernel: padded with zeros, every axis split into factors, the factors in another order. One
 * form for rows of activations, heads, and weights that are packed in the order in which cores want them.
 */
export interface Tiling {
  /** The tensor, row-major. */
  readonly shape: readonly number[];
  /** Factors of every axis, outermost first; their product is the axis's size with padding. */
  readonly split: readonly (readonly number[])[];
  /** The buffer's axes, outermost first: indices into all factors in a row. */
  readonly order: readonly number[];
}

export const sizeOfTiling = (t: Tiling): number => t.split.flat().reduce((a, b) => a * b, 1);

/** Calls back with every place of the buffer and the place of the tensor that belongs there, or -1 for padding. */
export function eachPlace(t: Tiling, visit: (place: number, source: number) => void): void {
  // Of every factor: its axis and what one step means along it.
  const factors = t.split.flatMap((parts, axis) =>
    parts.map((size, i) => ({ axis, size, weight: parts.slice(i + 1).reduce((a, b) => a * b, 1) })),
  );
  const ordered = t.order.map((f) => factors[f]!);
  const strides = t.shape.map((_, axis) => t.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const at = t.shape.map(() => 0);
  let place = 0;
  const walk = (depth: number): void => {
    const { axis, size, weight } = ordered[depth]!;
    const start = at[axis]!;
    for (let i = 0; i < size; i++, at[axis]! += weight) {
      if (depth < ordered.length - 1) walk(depth + 1);
      else {
        let source = 0;
        for (let a = 0; a < at.length && source >= 0; a++)
          source = at[a]! < t.shape[a]! ? source + at[a]! * strides[a]! : -1;
        visit(place++, source);
      }
    }
    at[axis] = start;
  };
  walk(0);
}
