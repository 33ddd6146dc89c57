import { attr } from "../attr.ts";
import type { Node } from "../node.ts";
import { defineOp } from "../op.ts";
import { type DType, elements, showShape } from "../type.ts";

export const constant = defineOp({
  name: "constant",
  doc: "Fixed values in row-major order; a single value fills the whole shape.",
  inputs: [],
  attrs: { dtype: attr.dtype, shape: attr.dims, values: attr.floats },
  infer: (_, { dtype, shape, values }) => {
    if (values.length === 0) throw new Error("values must not be empty");
    if (values.length > 1 && values.length !== elements(shape))
      throw new Error(
        `${values.length} values do not fill ${showShape(shape)}: give ${elements(shape)}, or one for all`,
      );
    return { dtype, shape };
  },
  evaluate: (_, { values }, out) => {
    if (values.length === 1) out.data.fill(values[0]!);
    else out.data.set(values);
  },
  cost: () => ({ flops: 0 }),
});

/** One number of `dtype` that broadcasts against anything: a constant of shape [1]. */
export const scalar = (value: number, dtype: DType = "f32"): Node => constant({ dtype, shape: [1], values: [value] });
