/** Reads a header from front to back; nothing that a file says is believed before it is compared with the file's size. */
import { HeddleError } from "../../ir/error.ts";
import type { RangeFile } from "../file.ts";

/** Several times what the largest vocabulary takes; as JavaScript values it is up to eight times as much memory. */
const maxHeader = 1 << 26;
const pieceBytes = 1 << 20;

/** Throws with the file's name, and the tensor's or key's where there is one. */
export type Refuse = (reason: string, part?: string) => never;

export const refuser =
  (file: string): Refuse =>
  (reason, part) => {
    throw new HeddleError(reason, {
      subject: part === undefined ? file : `${file}, ${part}`,
      hint: "fetch the file again: it is damaged, or it is not a GGUF file",
    });
  };

export class Cursor {
  readonly #file: RangeFile;
  readonly #refuse: Refuse;
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #piece = Buffer.alloc(0);
  /** Where in the file the piece begins, and where in the piece the next byte is. */
  #start = 0;
  #at = 0;
  /** What is being read, for errors: `key general.name`. */
  part: string | undefined;

  constructor(file: RangeFile, refuse: Refuse) {
    this.#file = file;
    this.#refuse = refuse;
  }

  get position(): number {
    return this.#start + this.#at;
  }

  /** Bytes of the file that have not been read. */
  get left(): number {
    return this.#file.size - this.position;
  }

  u8 = (): number => this.#take(1).readUInt8(this.#before(1));
  i8 = (): number => this.#take(1).readInt8(this.#before(1));
  u16 = (): number => this.#take(2).readUInt16LE(this.#before(2));
  i16 = (): number => this.#take(2).readInt16LE(this.#before(2));
  u32 = (): number => this.#take(4).readUInt32LE(this.#before(4));
  i32 = (): number => this.#take(4).readInt32LE(this.#before(4));
  f32 = (): number => this.#take(4).readFloatLE(this.#before(4));
  f64 = (): number => this.#take(8).readDoubleLE(this.#before(8));
  u64 = (): bigint => this.#take(8).readBigUInt64LE(this.#before(8));
  i64 = (): bigint => this.#take(8).readBigInt64LE(this.#before(8));

  /** A number of things that take at least `each` bytes: more than the file can hold are refused before any is read. */
  count(what: string, each: number): number {
    const count = this.u64();
    if (count > BigInt(Math.floor(this.left / each)))
      this.#refuse(`declares ${count} ${what}, more than its ${this.#file.size} bytes can hold`, this.part);
    return Number(count);
  }

  string(): string {
    const length = this.count("bytes of text", 1);
    const piece = this.#take(length);
    try {
      return this.#utf8.decode(piece.subarray(this.#at - length, this.#at));
    } catch {
      return this.#refuse(`has text at byte ${this.position - length} that is not UTF-8`, this.part);
    }
  }

  #before = (bytes: number): number => this.#at - bytes;

  /** Makes sure that the next bytes are in the piece, and steps over them. */
  #take(bytes: number): Buffer {
    if (bytes > this.left)
      this.#refuse(
        `ends at byte ${this.#file.size}, inside its header: it is truncated, or its lengths lie`,
        this.part,
      );
    if (this.position + bytes > maxHeader) this.#refuse(`has a header of more than ${maxHeader} bytes`, this.part);
    if (this.#at + bytes > this.#piece.length) {
      this.#start = this.position;
      this.#piece = this.#file.read(this.#start, Math.max(bytes, Math.min(pieceBytes, this.left)));
      this.#at = 0;
    }
    this.#at += bytes;
    return this.#piece;
  }
}
