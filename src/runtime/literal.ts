/**
 * Text that means itself. What people type into a chat may contain the very characters of a control token, `<end_of_turn>` say; written
 * into a template it must stay text, or they could speak in the model's or the system's name.
 */

/** From `start` up to `end`, in UTF-16 units as strings are indexed. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export const overlaps = (spans: readonly Span[], { start, end }: Span): boolean =>
  spans.some((s) => start < s.end && end > s.start);

/** The first code point of a range that Unicode keeps free of characters; there are 32. */
const firstFree = 0xfdd0;

/**
 * Brackets that survive a template: two code points that no text uses stand around what is literal, and are taken out of what the
 * template wrote.
 */
export class Brackets {
  readonly #open: string;
  readonly #close: string;

  /** @param texts that will be written into the template, and the template. @throws Error where they use all of the free code points. */
  constructor(texts: readonly string[]) {
    const free = Array.from({ length: 32 }, (_, i) => String.fromCharCode(firstFree + i)).filter(
      (mark) => !texts.some((text) => text.includes(mark)),
    );
    if (free.length < 2) throw new Error("uses all of U+FDD0 to U+FDEF, which are not characters");
    [this.#open, this.#close] = free as [string, string];
  }

  /** Puts brackets around spans of a text, which are in order and apart. */
  around(text: string, spans: readonly Span[]): string {
    let written = "";
    let at = 0;
    for (const { start, end } of spans) {
      written += text.slice(at, start) + this.#open + text.slice(start, end) + this.#close;
      at = end;
    }
    return written + text.slice(at);
  }

  /** The text without brackets, and what they stood around. One that a template cut off from its partner reaches to the end. */
  read(written: string): { readonly text: string; readonly literal: readonly Span[] } {
    const literal: Span[] = [];
    let text = "";
    let start: number | undefined;
    for (const piece of written.split(new RegExp(`([${this.#open}${this.#close}])`))) {
      if (piece === this.#open) start ??= text.length;
      else if (piece === this.#close) {
        if (start !== undefined) literal.push({ start, end: text.length });
        start = undefined;
      } else text += piece;
    }
    if (start !== undefined) literal.push({ start, end: text.length });
    return { text, literal };
  }
}
