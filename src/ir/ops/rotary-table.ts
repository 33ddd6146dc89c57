import { attr } from "../attr.ts";
import { defineOp } from "../op.ts";

// Polynomials of the C library's cosf and sinf (glibc from 2.28 on, after Arm's Optimized Routines), in double precision.
const cosines = [1, -0.49999999725108224, 0.041666623324344516, -0.001388676379437604, 2.4390450703564542e-5] as const;
const sines = [-0.16666654943701084, 0.008332178146138854, -0.00019517298981385725] as const;

/** cosf or sinf of an angle below 2^21 quarter turns. */
function turned(angle: number, sine: boolean): number {
  const quarters = Math.round(angle / (Math.PI / 2));
  // pi / 2 in two parts, of which the first has so few bits that its multiples are exact.
  const x = angle - quarters * 1.5707963267341256 - quarters * 6.077100506506192e-11;
  const y = x * x;
  const place = (quarters + (sine ? 3 : 0)) & 3;
  const value =
    place % 2 === 0
      ? cosines.reduceRight((sum, c) => sum * y + c, 0)
      : x + x * y * (sines[0] + y * (sines[1] + y * sines[2]));
  return place === 1 || place === 2 ? -value : value;
}

/**
 * A table of rotary positions (Su et al., 2021) to the bit as ggml's CPU backend computes it: angles by one product in single
 * precision after the other, then C's cosf and sinf. Where activations are rounded to 8 bits, the last bit of an angle matters.
 */
export const rotaryTable = defineOp({
  name: "rotaryTable",
  doc: "Cosines, or with `sine` sines, of p f^d / factor for f = theta^(-2 / dim), as ggml rounds them -> f32[rows, dim / 2].",
  inputs: [],
  attrs: { rows: attr.int, dim: attr.int, theta: attr.float, factor: attr.float, sine: attr.bool },
  infer: (_, { rows, dim, theta, factor }) => {
    if (rows < 1 || dim < 2 || dim % 2 || theta <= 0 || factor <= 0)
      throw new Error("rows, theta and factor must be positive, and dim even");
    return { dtype: "f32", shape: [rows, dim / 2] };
  },
  evaluate: (_, { rows, dim, theta, factor, sine }, out) => {
    const [step, scale] = [Math.fround(theta ** (-2 / dim)), Math.fround(1 / factor)];
    let at = 0;
    for (let row = 0; row < rows; row++)
      for (let angle = row, pair = 0; pair < dim / 2; pair++, angle = Math.fround(angle * step))
        out.data[at++] = Math.fround(turned(Math.fround(scale * angle), sine));
  },
  cost: () => ({ flops: 0 }),
});
