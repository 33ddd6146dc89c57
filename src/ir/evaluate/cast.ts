import { bitsOf } from "../type.ts";
import type { Tensor } from "./tensor.ts";

/** Floats keep their value here: the interpreter rounds every result of a narrow float type once (round.ts). */
export function castInto(x: Tensor, out: Tensor): void {
  const { dtype } = out.type;
  const o = out.data;
  if (dtype === "bool") for (let i = 0; i < o.length; i++) o[i] = x.data[i] !== 0 ? 1 : 0;
  else if (!(o instanceof Int32Array) || (x.data instanceof Int32Array && bitsOf[dtype] === 32)) o.set(x.data);
  else {
    const bits = bitsOf[dtype];
    const signed = dtype.startsWith("i");
    const [least, most] = signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
    for (let i = 0; i < o.length; i++) o[i] = Math.min(most, Math.max(least, Math.trunc(x.data[i]!)));
  }
}
