/** Tokenizers of Hugging Face's tokenizer.json. Their rules are the library's work. */
import { Tokenizer as Library } from "@huggingface/tokenizers";
import { overlaps, type Span } from "./literal.ts";
import type { Tokenizer } from "./tokenizer.ts";

type Json = Readonly<Record<string, unknown>>;
interface Added {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
}

const plainly = { skip_special_tokens: true, clean_up_tokenization_spaces: false };
const alone = { add_special_tokens: false };

export class HuggingFaceTokenizer implements Tokenizer {
  readonly #json: Json;
  readonly #library: Library;
  /** Control tokens by their text. */
  readonly #controls: ReadonlyMap<string, number>;
  /** Matches one of them, the longest where several begin alike; undefined where there are none. */
  readonly #pattern: RegExp | undefined;
  #withoutControls: Library | undefined;

  /** @param json the content of the file. @throws Error where it is none. */
  constructor(json: Json) {
    this.#json = json;
    this.#library = new Library(json, {});
    const special = added(json).filter((t) => t.special && t.content !== "");
    this.#controls = new Map(special.map((t) => [t.content, t.id]));
    const longestFirst = [...this.#controls.keys()].sort((a, b) => b.length - a.length);
    const escaped = longestFirst.map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
    this.#pattern = escaped.length > 0 ? new RegExp(escaped.join("|"), "g") : undefined;
  }

  encode(text: string): number[] {
    return this.#library.encode(text, { add_special_tokens: true }).ids;
  }

  encodePart(text: string, literal: readonly Span[] = []): number[] {
    if (text === "") return [];
    const controls = this.controls(text);
    if (!controls.some((c) => overlaps(literal, c))) return this.#library.encode(text, alone).ids;
    const tokens: number[] = [];
    let at = 0;
    // The library cannot be told where; so between the control tokens that are meant, one that knows none takes over.
    const plain = (to: number) => {
      if (to > at) tokens.push(...this.#plain().encode(text.slice(at, to), alone).ids);
    };
    for (const { start, end } of controls.filter((c) => !overlaps(literal, c))) {
      plain(start);
      tokens.push(this.#controls.get(text.slice(start, end))!);
      at = end;
    }
    plain(text.length);
    return tokens;
  }

  controls(text: string): Span[] {
    if (!this.#pattern) return [];
    return [...text.matchAll(this.#pattern)].map((m) => ({ start: m.index, end: m.index + m[0].length }));
  }

  decode(tokens: readonly number[]): string {
    return tokens.length === 0 ? "" : this.#library.decode([...tokens], plainly);
  }

  #plain(): Library {
    this.#withoutControls ??= new Library(withoutControls(this.#json, this.#controls), {});
    return this.#withoutControls;
  }
}

const added = (json: Json): readonly Added[] => (Array.isArray(json.added_tokens) ? json.added_tokens : []);

/** The tokenizer for which a control token is a text like any other. Some look up whole words first: there it must not be found either. */
function withoutControls(json: Json, controls: ReadonlyMap<string, number>): Json {
  const model = json.model as Json;
  const { vocab } = model;
  const others =
    typeof vocab === "object" && vocab !== null && !Array.isArray(vocab)
      ? Object.fromEntries(Object.entries(vocab).filter(([piece]) => !controls.has(piece)))
      : vocab;
  return { ...json, added_tokens: added(json).filter((t) => !t.special), model: { ...model, vocab: others } };
}
