/** A scanner over text that knows where it is: what the parser is written with. */
import { HeddleError, type Loc } from "./error.ts";

const known = new WeakMap<RegExp, RegExp>();

/** The pattern anchored at a position; made once for a pattern that is a constant. */
function stickyOf(pattern: RegExp): RegExp {
  const made = known.get(pattern) ?? new RegExp(pattern.source, "y");
  known.set(pattern, made);
  return made;
}

export class Scanner {
  readonly text: string;
  readonly file: string;
  #at = 0;
  /** Where each line begins; made when the first position is asked for. */
  #lines: number[] | undefined;

  constructor(text: string, file: string) {
    this.text = text;
    this.file = file;
    this.#skip();
  }

  /** Where the next token begins. */
  get position(): number {
    return this.#at;
  }

  loc(at = this.#at): Loc {
    this.#lines ??= [0, ...[...this.text.matchAll(/\n/g)].map((m) => m.index + 1)];
    let [low, high] = [0, this.#lines.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#lines[middle]! <= at) low = middle;
      else high = middle;
    }
    return { file: this.file, line: low + 1, column: at - this.#lines[low]! + 1 };
  }

  /** The next token if it matches a sticky pattern; nothing is consumed otherwise. */
  try(pattern: RegExp): RegExpExecArray | undefined {
    const sticky = stickyOf(pattern);
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.text);
    if (!found) return undefined;
    this.#at = sticky.lastIndex;
    this.#skip();
    return found;
  }

  /** As `try` for a fixed piece of text. */
  has(token: string): boolean {
    if (!this.text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    this.#skip();
    return true;
  }

  /** @throws HeddleError at the next token, saying what was expected in its place. */
  take(pattern: RegExp, expected: string): RegExpExecArray {
    return this.try(pattern) ?? this.unexpected(expected);
  }

  need(token: string): void {
    if (!this.has(token)) this.unexpected(`"${token}"`);
  }

  /** `one` repeated with commas between, up to the closing token, which is consumed. */
  list<T>(close: string, one: () => T): T[] {
    const items: T[] = [];
    if (this.has(close)) return items;
    do items.push(one());
    while (this.has(","));
    if (!this.has(close)) this.unexpected(`"," or "${close}"`);
    return items;
  }

  unexpected(expected: string): never {
    const found = /[%@]?[\w.]+|\S/y;
    found.lastIndex = this.#at;
    const next = found.exec(this.text)?.[0];
    return this.fail(`expected ${expected} but found ${next === undefined ? "the end of the text" : `"${next}"`}`);
  }

  fail(reason: string, at = this.#at, hint?: string): never {
    throw new HeddleError(reason, { loc: this.loc(at), hint });
  }

  /** White space and comments (`// ...` to the end of the line) mean nothing. */
  #skip(): void {
    const blank = /(?:\s|\/\/[^\n]*)*/y;
    blank.lastIndex = this.#at;
    blank.exec(this.text);
    this.#at = blank.lastIndex;
  }
}
