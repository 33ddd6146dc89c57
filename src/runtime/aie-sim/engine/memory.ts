/** Memory of a tile or of the host during a run, with a mark for every element that was written and, where actors share it, by whom. */
import { HeddleError } from "../../../ir/error.ts";
import type { Access } from "../compile/emitter.ts";
import type { Buffer } from "../hardware.ts";
import { bitsOf, count, type ScalarType, showType } from "../mlir/type.ts";
import type { Pattern } from "../pattern.ts";
import type { Races } from "./races.ts";

export type Data = Float32Array | Int32Array | Int16Array | Uint16Array | Int8Array;

function dataOf(element: ScalarType, bytes: ArrayBuffer, elements: number): Data | undefined {
  const bits = bitsOf(element);
  if (element.kind === "float" && bits === 32) return new Float32Array(bytes, 0, elements);
  if (element.kind === "float" && bits === 16) return new Uint16Array(bytes, 0, elements);
  if (element.kind === "float") return undefined;
  if (bits === 32) return new Int32Array(bytes, 0, elements);
  if (bits === 16) return new Int16Array(bytes, 0, elements);
  return bits === 8 ? new Int8Array(bytes, 0, elements) : undefined;
}

export class Memory {
  readonly buffer: Buffer;
  readonly data: Data;
  readonly words: Int32Array;
  /** May be read and written without looking: it is held by its core and all of it was written. */
  ok = false;
  readonly #written: Uint8Array;
  #missing: number;
  /** False for an element of a FIFO that the core gave back, or has not taken yet. */
  #held: boolean;
  #races: Races | undefined;
  /** Not an element of a FIFO: its core holds it always. */
  readonly #isExplicit: boolean;
  readonly #perWord: number;

  /** @param fifo whether its elements must be acquired. @param races what watches it, if more than one actor may touch it. */
  constructor(buffer: Buffer, fifo: boolean, races?: Races) {
    this.buffer = buffer;
    const { element, shape } = buffer.type;
    const size = count(shape);
    const bytes = new ArrayBuffer(Math.ceil((size * bitsOf(element)) / 32) * 4);
    const data = dataOf(element, bytes, size);
    if (!data)
      throw new HeddleError(`memory of ${showType(element)} is not supported`, {
        subject: this.name,
        loc: buffer.loc,
        hint: "pack it into i8",
      });
    this.data = data;
    this.words = new Int32Array(bytes);
    this.#written = new Uint8Array(size);
    this.#missing = size;
    this.#held = this.#isExplicit = !fifo;
    this.#perWord = 32 / bitsOf(element);
    this.#races = races;
    if (buffer.initial) this.#initialise(buffer.initial);
  }

  get name(): string {
    return `${this.buffer.name} on tile ${this.buffer.tile.name}`;
  }

  #initialise(values: readonly number[]): void {
    const half = this.data instanceof Uint16Array;
    for (const [i, v] of values.entries())
      this.data[i] = half ? new Uint32Array(new Float32Array([v]).buffer)[0]! >>> 16 : v;
    this.#written.fill(1);
    this.#missing = 0;
    this.#settle();
  }

  #settle(): void {
    this.ok = this.#held && this.#missing === 0 && this.#races === undefined;
  }

  /** A core takes it. @param fresh what it held before counts as unwritten: a producer's element. */
  hold(fresh: boolean): void {
    this.#held = true;
    if (fresh) {
      this.#written.fill(0);
      this.#missing = this.#written.length;
    }
    this.#settle();
  }

  letGo(): void {
    this.#held = false;
    this.ok = false;
  }

  /** A read of a core that may be wrong. @throws HeddleError naming tile, buffer and offset. */
  read(at: number, q: Access, core: string, actor: number): void {
    this.#check(q, core);
    this.#each(at, q, (i) => {
      if (!this.#written[i]) this.#poison(i, q, core);
      this.#races?.touch(this, i, false, actor, q.loc);
    });
  }

  write(at: number, q: Access, core: string, actor: number): void {
    this.#check(q, core);
    this.#each(at, q, (i) => {
      this.#mark(i);
      this.#races?.touch(this, i, true, actor, q.loc);
    });
    this.#settle();
  }

  #check(q: Access, core: string): void {
    if (this.#held) return;
    throw new HeddleError(`touches ${this.buffer.name} of ${this.buffer.owner} after it was released`, {
      subject: `${core}, ${q.op}`,
      loc: q.loc,
    });
  }

  #each(at: number, { shape, strides }: Access, visit: (i: number) => void, d = 0): void {
    if (d === shape.length) visit(at);
    else
      for (let i = 0; i < shape[d]!; i++) this.#each(at + i * strides[d]!, { shape, strides } as Access, visit, d + 1);
  }

  #mark(i: number): void {
    if (this.#written[i]) return;
    this.#written[i] = 1;
    this.#missing--;
  }

  #poison(i: number, q: Access, core: string): never {
    throw new HeddleError(
      `reads element ${i} of ${this.name} (${showType(this.buffer.type)}), which was never written`,
      {
        subject: `${core}, ${q.op}`,
        loc: q.loc,
        hint: "initialise it, as with a store of zeros",
      },
    );
  }

  /** As before the first run. */
  reset(races?: Races): void {
    this.#races = races;
    this.#held = this.#isExplicit;
    this.#written.fill(0);
    this.#missing = this.#written.length;
    this.#settle();
    if (this.buffer.initial) this.#initialise(this.buffer.initial);
  }

  /** A DMA sends these words. @throws HeddleError where one was never written. */
  sends(p: Pattern, subject: string, actor: number): void {
    if (this.#missing > 0) {
      const i = this.#firstUnwritten(p);
      if (i >= 0)
        throw new HeddleError(
          `sends element ${i} of ${this.name} (${showType(this.buffer.type)}), which was never written`,
          { subject, loc: this.buffer.loc },
        );
    }
    if (this.#races) this.#touch(p, false, actor);
  }

  /** A DMA is about to write these words. */
  receives(p: Pattern, actor: number): void {
    if (this.#races) this.#touch(p, true, actor);
  }

  /** A DMA wrote these words. */
  received({ starts, run }: Pattern): void {
    if (this.#missing === 0) return;
    const written = this.#written;
    let marked = 0;
    for (let r = 0; r < starts.length; r++) {
      const from = starts[r]! * this.#perWord;
      const to = Math.min(from + run * this.#perWord, written.length);
      for (let i = from; i < to; i++)
        if (written[i] === 0) {
          written[i] = 1;
          marked++;
        }
    }
    this.#missing -= marked;
    this.#settle();
  }

  #firstUnwritten({ starts, run }: Pattern): number {
    const written = this.#written;
    for (let r = 0; r < starts.length; r++) {
      const from = starts[r]! * this.#perWord;
      const to = Math.min(from + run * this.#perWord, written.length);
      for (let i = from; i < to; i++) if (written[i] === 0) return i;
    }
    return -1;
  }

  #touch({ starts, run }: Pattern, write: boolean, actor: number): void {
    for (const s of starts) {
      const to = Math.min((s + run) * this.#perWord, this.#written.length);
      for (let i = s * this.#perWord; i < to; i++) this.#races!.touch(this, i, write, actor, this.buffer.loc);
    }
  }
}
