import { attr } from "../attr.ts";
import { needWholeRows } from "../blocks.ts";
import { sliceInto } from "../evaluate/move.ts";
import { defineOp } from "../op.ts";
import { bytesOf, type Dim, sameDim, showDim, showType } from "../type.ts";
import { resolveAxis, withAxis } from "./support/axis.ts";

/** Whether start + size is within the axis for every value that symbols may take. */
function fits(start: number, size: Dim, extent: Dim): boolean {
  if (start === 0 && sameDim(size, extent)) return true;
  const largest = typeof size === "number" ? size : size.max;
  const smallest = typeof extent === "number" ? extent : extent.min;
  return start + largest <= smallest;
}

export const slice = defineOp({
  name: "slice",
  doc: "x[start : start + size] along one axis. size may be a symbol as long as it always fits.",
  inputs: ["x"],
  attrs: { axis: attr.int, start: attr.int, size: attr.dim },
  keepsBlocks: true,
  infer: ({ x }, { axis, start, size }) => {
    const at = resolveAxis(axis, x.shape);
    needWholeRows(x, at);
    const extent = x.shape[at]!;
    if (start < 0 || (typeof size === "number" && size < 0))
      throw new Error(`start ${start} and size ${showDim(size)} must not be negative`);
    if (!fits(start, size, extent))
      throw new Error(
        `${start}..${start}+${showDim(size)} is outside axis ${axis} of x ${showType(x)}, which has ${typeof extent === "number" ? extent : `${extent.sym} in ${extent.min}..${extent.max}`}`,
      );
    return { dtype: x.dtype, shape: withAxis(x.shape, at, size) };
  },
  evaluate: ({ x }, { axis, start }, out) => sliceInto(x, resolveAxis(axis, x.shape), start, out),
  cost: (_types, _attrs, out) => ({ flops: 0, reads: [bytesOf(out)] }),
});
