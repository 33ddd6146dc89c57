/** What of a product in fixed point belongs to a column: known when the program is compiled, and packed with the weights. */
import type { Node } from "../../../ir/node.ts";
import { add, cast, constant, maximum, mul, reduceSum, reshape, scalar, sub } from "../../../ir/ops/index.ts";
import { encodingOf } from "../../../ir/ops/support/quant.ts";
import { staticShape } from "../../../ir/type.ts";
import type { ColumnValues } from "../kernel.ts";

/**
 * Of y = (sum (x + offset) w + b) (xScale scales): the core multiplies bytes, x or the two of x = 256 (h + 128) + (l + 128), so its
 * sums start with what the rest of x, the same for all rows, adds for a column, and with b.
 * @param n a quantizedLinear on i8 or u16.
 * @throws Error for rows of another type.
 */
export function columnsOf(n: Node): Required<Pick<ColumnValues, "starts" | "scales" | "largest">> {
  const [x, w, scales, b] = n.inputs as [Node, Node, Node, Node | undefined];
  const { scale, offset } = encodingOf("x", x.type);
  const [columns] = staticShape(w.type.shape) as [number];
  // Whole numbers below 2^24: exact in f32.
  const values = cast(w, { dtype: "f32" });
  const total = (of: Node) => reshape(reduceSum(of, { axis: 1 }), { shape: [columns] });
  const sums = cast(total(values), { dtype: "i32" });
  const bias = b ?? constant({ dtype: "i32", shape: [columns], values: [0] });
  const times = (factor: number) => mul(sums, scalar(factor, "i32"));
  // A byte is at most 128.
  const products = mul(total(magnitude(values)), scalar(128));
  const both = starts();
  const most = both.map((s) => magnitude(cast(s, { dtype: "f32" }))).reduce((a, c) => maximum(a, c));
  return { starts: both, scales: mul(scales, scalar(scale)), largest: add(products, most) };

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

const magnitude = (x: Node): Node => maximum(x, sub(scalar(0), x));
