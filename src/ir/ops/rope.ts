import { defineOp } from "../op.ts";
import { showType } from "../type.ts";
import { add } from "./add.ts";
import { concat } from "./concat.ts";
import { mul } from "./mul.ts";
import { slice } from "./slice.ts";
import { sub } from "./sub.ts";
import { needFloat, needNumber, needShape, sameDType } from "./support/check.ts";

export const rope = defineOp({
  name: "rope",
  doc: "Rotary position embedding (Su et al., 2021) with split halves, as in GPT-NeoX, Llama and Gemma: pair (x[d], x[d + D/2]) turns by the angle of its row. x [H, T, D], cos and sin [T, D/2] -> [H, T, D].",
  inputs: ["x", "cos", "sin"],
  infer: ({ x, cos, sin }) => {
    if (x.shape.length !== 3) throw new Error(`x must be [H, T, D], not ${showType(x)}`);
    const width = needNumber("D, the last size of x,", x.shape[2]!);
    if (width % 2) throw new Error(`D, the last size of x, must be even: x is ${showType(x)}`);
    needShape("cos", cos, "T, D/2", x.shape[1], width / 2);
    needShape("sin", sin, "T, D/2", x.shape[1], width / 2);
    needFloat({ x });
    return { dtype: sameDType({ x, cos, sin }), shape: x.shape };
  },
  expand: ({ x, cos, sin }) => {
    const half = needNumber("D", x.type.shape[2]!) / 2;
    const a = slice(x, { axis: 2, start: 0, size: half });
    const b = slice(x, { axis: 2, start: half, size: half });
    return concat([sub(mul(a, cos), mul(b, sin)), add(mul(b, cos), mul(a, sin))], { axis: 2 });
  },
});
