import { defineOp } from "../op.ts";
import { bitsOf, showType } from "../type.ts";

const wide = ["f32", "i32"];

export const toBytes = defineOp({
  name: "toBytes",
  doc: "The bytes of each f32 or i32 as signed integers, the least significant first: x [..] -> i8 [.., 4]. What a device reads as numbers travels in a stream of bytes.",
  inputs: ["x"],
  attrs: {},
  infer: ({ x }) => {
    if (!wide.includes(x.dtype)) throw new Error(`x must be ${wide.join(" or ")}, not ${showType(x)}`);
    return { dtype: "i8", shape: [...x.shape, bitsOf.i32 / 8] };
  },
  evaluate: ({ x }, _, out) => {
    const view = new DataView(new ArrayBuffer(4));
    for (let i = 0; i < x.data.length; i++) {
      if (x.type.dtype === "f32") view.setFloat32(0, x.data[i]!, true);
      else view.setInt32(0, x.data[i]!, true);
      for (let byte = 0; byte < 4; byte++) out.data[4 * i + byte] = view.getInt8(byte);
    }
  },
  cost: () => ({ flops: 0 }),
});
