/** What of a product in fixed point belongs to a column: known when the program is compiled, and packed with the weights. */
import type { Node } from "../../../ir/node.ts";
import { add, cast, constant, mul, reduceSum, reshape, scalar, sub } from "../../../ir/ops/index.ts";
import { encodingOf } from "../../../ir/ops/support/quant.ts";
import { staticShape } from "../../../ir/type.ts";
import type { ColumnValues } from "../kernel.ts";

/**
 * Of y = (sum (x + offset) w + b) (xScale scales): the core multiplies bytes, x or the two of x = 256 (h + 128) + (l + 128), so its
 * sums start with what the rest of x, the same for all rows, adds for a column, and with b.
 * @param n a quantizedLinear on i8 or u16.
 * @throws Error for rows of another type.
 */
export function columnsOf(n: Node): Required<Pick<ColumnValues, "starts" | "scales">> {
  const [x, w, scales, b] = n.inputs as [Node, Node, Node, Node | undefined];
  const { scale, offset } = encodingOf("x", x.type);
  const [columns] = staticShape(w.type.shape) as [number];
  // Whole numbers below 2^24: exact in f32.
  const sums = cast(reshape(reduceSum(cast(w, { dtype: "f32" }), { axis: 1 }), { shape: [columns] }), { dtype: "i32" });
  const bias = b ?? constant({ dtype: "i32", shape: [columns], values: [0] });
  const times = (factor: number) => mul(sums, scalar(factor, "i32"));
  return { starts: starts(), scales: mul(scales, scalar(scale)) };

  function starts(): Node[] {
    if (x.type.dtype === "i8") return [add(times(offset), bias)];
    if (x.type.dtype !== "u16") throw new Error(`rows in ${x.type.dtype} have no kernel`);
    const rest = offset + 256 * 128 + 128;
    const high = Math.round(rest / 256);
    // Any cut of the bias will do: both parts are exact, and the low one is small.
    const biasHigh = cast(mul(cast(bias, { dtype: "f32" }), scalar(1 / 256)), { dtype: "i32" });
    const biasLow = sub(bias, mul(biasHigh, scalar(256, "i32")));
    return [add(times(high), biasHigh), add(times(rest - 256 * high), biasLow)];
  }
}
