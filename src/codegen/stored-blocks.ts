/** Weights that stay in the blocks of their file: rows are picked, joined and laid out in panels, and not one number is computed. */
import { hasBlocks, isBlock, rowBytes } from "../ir/blocks.ts";
import { HeddleError, rethrow } from "../ir/error.ts";
import { describe, type Node } from "../ir/node.ts";
import { showType, staticShape } from "../ir/type.ts";
import type { WeightSource } from "../weights/source.ts";
import { packPanels } from "./panels.ts";
import type { Weight } from "./weights.ts";

/** Bytes of a piece, about: large enough for a disk, small beside an embedding table. */
const pieceBytes = 1 << 24;

/** The bytes of a weight of a block type, in panels, in pieces. @throws HeddleError where the source has it in another type. */
export function* storedBlocks(w: Weight, source: WeightSource): Generator<Uint8Array> {
  try {
    const { type } = w.expression;
    if (!hasBlocks(type)) throw new Error(`${showType(type)} is not made of blocks`);
    yield* packPanels(type.dtype, rowBytes(type), rowsOf(w.expression, 0, type.shape[0] as number, source));
  } catch (e) {
    rethrow(e, { subject: `weight ${w.name}`, loc: w.expression.loc });
  }
}

/** Rows `start .. start + count` along the first axis. */
function* rowsOf(n: Node, start: number, count: number, source: WeightSource): Generator<Uint8Array> {
  if (n.op.name === "param") yield* readRows(n, start, count, source);
  else if (n.op.name === "slice") yield* rowsOf(n.inputs[0]!, start + (n.attrs.start as number), count, source);
  else if (n.op.name === "concat") {
    let at = 0;
    for (const part of n.inputs) {
      const rows = part.type.shape[0] as number;
      const [from, to] = [Math.max(start, at), Math.min(start + count, at + rows)];
      if (from < to) yield* rowsOf(part, from - at, to - from, source);
      at += rows;
    }
  } else throw new HeddleError("cannot be stored in blocks", { subject: describe(n), loc: n.loc });
}

function* readRows(n: Node, start: number, count: number, source: WeightSource): Generator<Uint8Array> {
  const { type } = n;
  if (!isBlock(type.dtype)) throw new Error(`${showType(type)} is not stored in blocks`);
  const name = n.attrs.name as string;
  const stored = source.blocks?.typeOf(name);
  if (stored !== type.dtype)
    throw new HeddleError(
      `${name} is wanted in ${type.dtype} but is ${stored ? `stored in ${stored}` : "not in blocks"}`,
      {
        hint: "compile again from the graph file, with the same --weights",
      },
    );
  const shape = staticShape(type.shape);
  const bytesPerRow = shape.slice(1, -1).reduce((a, b) => a * b, rowBytes({ ...type, dtype: type.dtype }));
  const rowsPerPiece = Math.max(1, Math.floor(pieceBytes / bytesPerRow));
  for (let at = 0; at < count; at += rowsPerPiece)
    yield source.blocks!.read({ name, shape }, start + at, Math.min(rowsPerPiece, count - at));
}
