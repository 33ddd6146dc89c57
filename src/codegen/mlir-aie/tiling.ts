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

/**
 * Calls back with every run of places that belong to the tensor: `count` places from `place` on hold the tensor's elements `source`,
 * `source + step` and so on. What is not called is padding.
 */
export function eachRun(t: Tiling, visit: (place: number, source: number, count: number, step: number) => void): void {
  const strides = t.shape.map((_, axis) => t.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  // Of every factor: its axis and what one step means along it.
  const factors = t.split.flatMap((parts, axis) =>
    parts.map((size, i) => ({ axis, size, weight: parts.slice(i + 1).reduce((a, b) => a * b, 1) })),
  );
  // Factors of one change no order.
  const ordered = t.order.map((f) => factors[f]!).filter(({ size }) => size > 1);
  const inner = ordered.pop() ?? { axis: 0, size: 1, weight: 1 };
  const step = inner.weight * strides[inner.axis]!;
  const at = t.shape.map(() => 0);
  let place = 0;
  const walk = (depth: number, source: number): void => {
    const outer = ordered[depth];
    if (!outer) {
      const isInside = at.every((x, axis) => x < t.shape[axis]!);
      const rest = Math.ceil((t.shape[inner.axis]! - at[inner.axis]!) / inner.weight);
      if (isInside) visit(place, source, Math.min(inner.size, rest), step);
      place += inner.size;
      return;
    }
    const { axis, size, weight } = outer;
    const start = at[axis]!;
    for (let i = 0; i < size; i++, at[axis]! += weight) walk(depth + 1, source + i * weight * strides[axis]!);
    at[axis] = start;
  };
  walk(0, 0);
}
