/** Text to ops: the subset of MLIR that designs for the array are written in. */
import type { Op } from "./op.ts";
import { Parser, type Syntaxes } from "./parser.ts";
import { aie } from "./syntax/aie.ts";
import { arith } from "./syntax/arith.ts";
import { control } from "./syntax/control.ts";
import { memref } from "./syntax/memref.ts";
import { vector } from "./syntax/vector.ts";

const syntaxes: Syntaxes = { ...aie, ...control, ...arith, ...memref, ...vector };

/**
 * Reads a module.
 * @param file what errors call the text
 * @throws HeddleError at file:line:column: what was expected there, or which op, type or attribute is not of the subset.
 */
export function parseModule(text: string, file: string): Op {
  const parser = new Parser(text, file, syntaxes);
  try {
    return parser.module();
  } catch (e) {
    // Only the depth of regions and lists in each other is unbounded here.
    if (e instanceof RangeError) return parser.in.fail("is nested too deeply");
    throw e;
  }
}
