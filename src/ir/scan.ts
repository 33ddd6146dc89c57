/** A scanner over text that knows where it is: what the parser is written with. */
import { HeddleError, type Loc } from "./error.ts";

export class Scanner {
  readonly text: string;
  readonly file: string;
  #at = 0;

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
    const before = this.text.slice(0, at);
    const line = before.split("\n").length;
    return { file: this.file, line, column: at - before.lastIndexOf("\n") };
  }

  /** The next token if it matches a sticky pattern; nothing is consumed otherwise. */
  try(pattern: RegExp): RegExpExecArray | undefined {
    const sticky = new RegExp(pattern.source, "y");
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
