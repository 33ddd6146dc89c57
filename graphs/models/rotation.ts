/** Tables of rotary position embeddings (Su et al., 2021). */
import { cast, constant, cos, gather, iota, mul, type Node, reshape, rotaryTable, sin } from "../../src/ir/index.ts";

/** What `rope` turns by: cosine and sine of each token's angles, [T, dim / 2]. */
export interface Rotation {
  readonly cos: Node;
  readonly sin: Node;
}

/**
 * Rows of two tables that are computed when weights are written: an NPU has no f32 to compute angles of far positions in.
 * Pair d of a head turns by position / factor * theta^(-2d / dim).
 * @param places of the tokens, i32[T].
 * @param sizes `dim` of a head; `rows` of the tables; `factor` by which positions lie closer than in training; `stepped`:
 * with the roundings of ggml.
 */
export function rotation(
  places: Node,
  sizes: { dim: number; theta: number; factor: number; rows: number; stepped: boolean },
): Rotation {
  const { dim, theta, factor, rows } = sizes;
  if (sizes.stepped) {
    const table = (sine: boolean) => gather(rotaryTable({ dim, theta, factor, rows, sine }), places);
    return { cos: table(false), sin: table(true) };
  }
  const frequencies = Array.from({ length: dim / 2 }, (_, d) => theta ** ((-2 * d) / dim) / factor);
  const speeds = constant({ dtype: "f32", shape: [1, dim / 2], values: frequencies });
  const position = reshape(cast(iota({ length: rows }), { dtype: "f32" }), { shape: [rows, 1] });
  const angles = mul(position, speeds);
  return { cos: gather(cos(angles), places), sin: gather(sin(angles), places) };
}
