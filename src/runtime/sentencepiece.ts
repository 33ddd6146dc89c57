/**
 * SentencePiece's byte-pair encoding (Kudo and Richardson, 2018, "SentencePiece", section 3; as llama.cpp has it): of all
 * neighbours that join to a piece of the vocabulary, those whose piece has the highest score join first, the leftmost of
 * equals. As a tokenizer.json the same vocabulary would be a list of merges, half a million for Gemma, of which a library
 * makes 260 MB; this keeps the vocabulary alone.
 */
import TinyQueue from "tinyqueue";
import { overlaps, type Span } from "./literal.ts";

/** The content of vocabulary.json. Token ids are positions. */
export interface Vocabulary {
  readonly format: "heddle.vocabulary/1";
  readonly pieces: readonly string[];
  readonly scores: readonly number[];
  /**
   * A letter each: `n` is a piece that text joins to, `b` a byte, `c` controls the model and is not shown, `d` was defined by a
   * user, `u` stands for what is unknown.
   */
  readonly kinds: string;
  /** The token of a character that has neither piece nor bytes. */
  readonly unknown?: number;
  /** Tokens before and after every text. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Whether a text starts as if a space stood in front of it. */
  readonly prefix: boolean;
}

/** Stands for a space inside pieces. */
const space = "\u2581";

/** Neighbours in a text that join to a piece. */
interface Pair {
  readonly score: number;
  readonly left: number;
  readonly right: number;
  /** The piece's length: another one means that one of the two has joined otherwise since. */
  readonly length: number;
}

export class SentencePiece {
  readonly #vocabulary: Vocabulary;
  /** Of pieces that text may join to. */
  readonly #ids = new Map<string, number>();
  /** Pieces that are found in a text as a whole, by their first character: their lengths, longest first. */
  readonly #whole = new Map<string, number[]>();
  readonly #wholeIds = new Map<string, number>();
  readonly #bytes: number[] = [];

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    const { pieces, kinds } = vocabulary;
    for (const [id, piece] of pieces.entries()) {
      const kind = kinds[id];
      if (kind === "n") this.#ids.set(piece, id);
      else if (kind === "b") this.#bytes[Number.parseInt(piece.slice(1, -1), 16)] = id;
      else if (kind !== "u" && piece !== "") this.#addWhole(piece, id);
    }
  }

  encode(text: string): number[] {
    return [...this.#vocabulary.before, ...this.encodePart(text), ...this.#vocabulary.after];
  }

  encodePart(text: string, literal: readonly Span[] = []): number[] {
    const tokens: number[] = [];
    const plain = (from: number, to: number) => {
      if (from === to) return;
      const prefixed = this.#vocabulary.prefix && from === 0 ? ` ${text.slice(from, to)}` : text.slice(from, to);
      this.#join(prefixed.replaceAll(" ", space), tokens);
    };
    let start = 0;
    for (let at = 0; at < text.length; ) {
      const found = this.#wholeAt(text, at, literal);
      if (found === undefined) {
        at++;
        continue;
      }
      plain(start, at);
      tokens.push(this.#wholeIds.get(found)!);
      at += found.length;
      start = at;
    }
    plain(start, text.length);
    return tokens;
  }

  controls(text: string): Span[] {
    const spans: Span[] = [];
    for (let at = 0; at < text.length; at++) {
      const found = this.#wholeAt(text, at);
      if (found === undefined) continue;
      if (this.#isControl(found)) spans.push({ start: at, end: at + found.length });
      at += found.length - 1;
    }
    return spans;
  }

  decode(tokens: readonly number[]): string {
    const { pieces, kinds, prefix } = this.#vocabulary;
    let text = "";
    let bytes: number[] = [];
    const flush = () => {
      if (bytes.length > 0) text += new TextDecoder().decode(Uint8Array.from(bytes));
      bytes = [];
    };
    for (const id of tokens) {
      const [piece, kind] = [pieces[id] ?? "", kinds[id]];
      if (kind === "b") bytes.push(Number.parseInt(piece.slice(1, -1), 16));
      else {
        flush();
        if (kind !== "c") text += kind === "n" ? piece.replaceAll(space, " ") : piece;
      }
    }
    flush();
    return prefix && text.startsWith(" ") ? text.slice(1) : text;
  }

  #addWhole(piece: string, id: number): void {
    this.#wholeIds.set(piece, id);
    const lengths = this.#whole.get(piece[0]!) ?? [];
    if (!lengths.includes(piece.length)) lengths.push(piece.length);
    this.#whole.set(
      piece[0]!,
      lengths.sort((a, b) => b - a),
    );
  }

  /** The longest piece that is found as a whole there; where the text is literal, control tokens are not. */
  #wholeAt(text: string, at: number, literal: readonly Span[] = []): string | undefined {
    for (const length of this.#whole.get(text[at]!) ?? []) {
      const piece = text.slice(at, at + length);
      if (!this.#wholeIds.has(piece)) continue;
      if (!this.#isControl(piece) || !overlaps(literal, { start: at, end: at + length })) return piece;
    }
    return undefined;
  }

  #isControl(piece: string): boolean {
    return this.#vocabulary.kinds[this.#wholeIds.get(piece)!] === "c";
  }

  /** Joins the characters of a text as far as they go. `next` and `previous` link what is left of them. */
  #join(text: string, tokens: number[]): void {
    const symbols = Array.from(text);
    const next = symbols.map((_, i) => i + 1);
    const previous = symbols.map((_, i) => i - 1);
    const queue = new TinyQueue<Pair>([], (a, b) => b.score - a.score || a.left - b.left);
    const offer = (left: number, right: number) => {
      if (left < 0 || right >= symbols.length) return;
      const piece = symbols[left]! + symbols[right]!;
      const id = this.#ids.get(piece);
      if (id !== undefined) queue.push({ score: this.#vocabulary.scores[id]!, left, right, length: piece.length });
    };
    for (let i = 1; i < symbols.length; i++) offer(i - 1, i);
    for (let pair = queue.pop(); pair; pair = queue.pop()) {
      const { left, right, length } = pair;
      const [a, b] = [symbols[left]!, symbols[right]!];
      if (a === "" || b === "" || a.length + b.length !== length) continue;
      symbols[left] = a + b;
      symbols[right] = "";
      next[left] = next[right]!;
      if (next[left]! < symbols.length) previous[next[left]!] = left;
      offer(previous[left]!, left);
      offer(left, next[left]!);
    }
    for (let i = 0; i < symbols.length; i = next[i]!) tokens.push(...this.#tokensOf(symbols[i]!));
  }

  /** The token of a piece, or those of the bytes of a character that has none. */
  #tokensOf(symbol: string): number[] {
    const id = this.#ids.get(symbol);
    if (id !== undefined) return [id];
    const bytes = Array.from(new TextEncoder().encode(symbol), (b) => this.#bytes[b]);
    if (bytes.every((b) => b !== undefined)) return bytes;
    return this.#vocabulary.unknown === undefined ? [] : [this.#vocabulary.unknown];
  }
}
