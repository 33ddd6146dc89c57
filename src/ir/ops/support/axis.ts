import { type Shape, showShape } from "../../type.ts";

/** An axis counted from the start; negative ones count from the end as in numpy. @throws Error where it is outside. */
export function resolveAxis(axis: number, shape: Shape): number {
  const rank = shape.length;
  if (axis < -rank || axis >= rank)
    throw new Error(`axis ${axis} does not exist: ${showShape(shape)} has rank ${rank}, so axes ${-rank}..${rank - 1}`);
  return axis < 0 ? axis + rank : axis;
}

/** The shape with the size along one axis replaced. */
export const withAxis = (shape: Shape, axis: number, size: Shape[number]): Shape =>
  shape.map((d, i) => (i === axis ? size : d));
