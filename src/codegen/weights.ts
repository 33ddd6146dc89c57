/** The weights of a program: every weight expression that its entry points use, once, with its place in `weights.bin`. */
import { createHash } from "node:crypto";
import { hasBlocks } from "../ir/blocks.ts";
import { HeddleError } from "../ir/error.ts";
import { describe, type Node } from "../ir/node.ts";
import { bytesOf, type TensorType } from "../ir/type.ts";
import { panelBytes, panelRows } from "./panels.ts";
import { Interner } from "./statics.ts";

/** Cache lines, and the widest vector of any CPU: backends may read a tensor where it lies. */
export const alignment = 64;
/** To be raised when the same expressions give other bytes than before: weights that were written earlier are then not kept. */
const encoding = 3;
const align = (n: number): number => Math.ceil(n / alignment) * alignment;

/** One stored tensor. `offset` is meaningful once all weights have been added. */
export interface Weight {
  readonly name: string;
  /** What is evaluated and stored: leaves are params and constants only. */
  readonly expression: Node;
  readonly type: TensorType;
  readonly bytes: number;
  readonly offset: number;
}

/** A tensor that a graph reads: a stored weight, or consecutive rows of one. */
export interface WeightRef {
  readonly name: string;
  readonly type: TensorType;
  readonly bytes: number;
  readonly offset: number;
}

/**
 * Weights in the order in which they were first asked for, which is the order of execution, so that a pass over the model
 * reads the file from front to back. Equal expressions are stored once, whichever entry point they come from.
 */
export class WeightTable {
  readonly #interner = new Interner();
  readonly #refs = new Map<number, WeightRef>();
  readonly #weights: Weight[] = [];
  readonly #names = new Set<string>();
  readonly #views: boolean;
  #end = 0;

  /** @param views false where rows of a stored weight cannot be referred to and are stored again. */
  constructor({ views = true } = {}) {
    this.#views = views;
  }

  get weights(): readonly Weight[] {
    return this.#weights;
  }

  /** Size of `weights.bin`. */
  get bytes(): number {
    return this.#end;
  }

  /** The place of a weight expression; adds it where it is new. @throws HeddleError where a size is not bound. */
  add(n: Node): WeightRef {
    const id = this.#interner.number(n);
    const known = this.#refs.get(id);
    if (known) return known;
    const ref = this.#rowsOf(n) ?? this.#store(n);
    this.#refs.set(id, ref);
    return ref;
  }

  /** Identifies the file's content, but for the values of the parameters. */
  get key(): string {
    const layout = this.#weights.map((w) => [this.#interner.number(w.expression), w.offset, w.type]);
    return createHash("sha256")
      .update(JSON.stringify([encoding, this.#interner.text, layout]))
      .digest("hex");
  }

  #store(expression: Node): Weight {
    const weight = {
      name: this.#unique(nameOf(expression)),
      expression,
      type: expression.type,
      bytes: sizeOf(expression),
      offset: this.#end,
    };
    this.#weights.push(weight);
    this.#end = align(this.#end + weight.bytes);
    return weight;
  }

  /** Rows `start .. start + size` of a checkpoint tensor lie consecutively in it and need no storage of their own. */
  #rowsOf(n: Node): WeightRef | undefined {
    const table = n.inputs[0];
    if (!this.#views || n.op.name !== "slice" || n.attrs.axis !== 0 || !table || !isPlain(table)) return undefined;
    // Rows in blocks lie in panels, which can only be taken whole.
    if (hasBlocks(n.type) && (n.type.shape.length !== 2 || (n.attrs.start as number) % panelRows !== 0))
      return undefined;
    const tableBytes = hasBlocks(table.type) ? bytesOf(table.type) : sizeOf(table);
    const start = (n.attrs.start as number) * (tableBytes / (table.type.shape[0] as number));
    if (start % alignment !== 0) return undefined;
    return { name: this.#unique(nameOf(n)), type: n.type, bytes: sizeOf(n), offset: this.add(table).offset + start };
  }

  #unique(base: string): string {
    let name = base;
    for (let i = 1; this.#names.has(name); i++) name = `${base}.${i}`;
    this.#names.add(name);
    return name;
  }
}

/** A checkpoint tensor as it is, or only in another element type. */
const isPlain = (n: Node): boolean =>
  n.op.name === "param" || (n.op.name === "cast" && n.inputs[0]!.op.name === "param");

const nameOf = (n: Node): string => (n.op.name === "param" ? (n.attrs.name as string) : (n.name ?? n.op.name));

/** Bytes in the file, where every element has whole bytes: 4-bit integers lie in 8-bit containers, as QNN takes them. */
function sizeOf(n: Node): number {
  try {
    if (hasBlocks(n.type)) return panelBytes(n.type);
    return bytesOf(n.type.dtype === "i4" ? { ...n.type, dtype: "i8" } : n.type);
  } catch (e) {
    throw new HeddleError((e as Error).message, { subject: describe(n), loc: n.loc });
  }
}
