/** A conversation with a model: turns go through its chat template, and only what is new is computed. */
import { Template } from "@huggingface/jinja";
import { HeddleError } from "../ir/error.ts";
import type { Generated, GenerateOptions } from "./generate.ts";
import { Brackets, type Span } from "./literal.ts";
import type { Session } from "./session.ts";

export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface ConversationOptions {
  /** Jinja; default is the template that came with the model. */
  readonly template?: string;
  /** What the model is told before the first turn. */
  readonly system?: string;
}

/**
 * ```ts
 * const conversation = new Conversation(session);
 * for await (const { text } of conversation.send("Who wrote Faust?")) process.stdout.write(text);
 * ```
 */
export class Conversation {
  readonly #session: Session;
  readonly #source: string;
  readonly #template: Template;
  readonly #names: { readonly bos_token: string; readonly eos_token: string };
  #messages: readonly Message[];
  /** The text of the conversation so far as the template writes it, and its tokens as the model saw and made them. */
  #text = "";
  #tokens: readonly number[] = [];

  /** @throws HeddleError where the model has no chat template, or it is not Jinja. */
  constructor(session: Session, { template, system }: ConversationOptions = {}) {
    const { manifest } = session.build;
    if (manifest.tokenizer === null)
      throw new HeddleError("has no tokenizer, so nobody can converse with it", { subject: session.build.folder });
    this.#session = session;
    this.#source = sourceOf(template ?? session.build.chatTemplate(), session.build.folder);
    this.#template = parse(this.#source, session.build.folder);
    this.#names = { bos_token: manifest.chat?.bos ?? "", eos_token: manifest.chat?.eos ?? "" };
    this.#messages = system === undefined ? [] : [{ role: "system", content: system }];
  }

  get messages(): readonly Message[] {
    return this.#messages;
  }

  /**
   * Says something and streams the answer. A turn that fails is as if it had not been; one that is ended early keeps what was
   * said. @throws HeddleError as `generate` does, and where the template refuses the turn.
   */
  async *send(content: string, options: GenerateOptions = {}): AsyncGenerator<Generated, void, void> {
    const messages: readonly Message[] = [...this.#messages, { role: "user", content }];
    const { text, literal } = this.#render(messages);
    const prompt = this.#tokensOf(text, literal);
    const made: number[] = [];
    let answer = "";
    let said = false;
    try {
      for await (const piece of this.#session.generate(prompt, options)) {
        made.push(piece.token);
        answer += piece.text;
        said = true;
        yield piece;
      }
      said = true;
    } finally {
      if (said) {
        this.#messages = [...messages, { role: "assistant", content: answer }];
        this.#text = text + answer;
        this.#tokens = [...prompt, ...made];
      }
    }
  }

  /** The tokens so far and those of what is new, so that the cache is of use; of all anew where the template changed what was. */
  #tokensOf(text: string, literal: readonly Span[]): readonly number[] {
    const { tokenizer } = this.#session;
    const known = this.#text.length;
    if (known === 0 || !text.startsWith(this.#text)) return tokenizer.encodePart(text, literal);
    const later = literal.map(({ start, end }) => ({ start: start - known, end: end - known }));
    return [...this.#tokens, ...tokenizer.encodePart(text.slice(known), later)];
  }

  /** What the template makes of the messages, and where in it the text of a control token comes from a message: there it is only text. */
  #render(messages: readonly Message[]): { text: string; literal: readonly Span[] } {
    try {
      const { tokenizer } = this.#session;
      const brackets = new Brackets([this.#source, ...messages.map((m) => m.content)]);
      const marked = messages.map((m) => ({
        ...m,
        content: brackets.around(m.content, tokenizer.controls(m.content)),
      }));
      return brackets.read(this.#template.render({ messages: marked, add_generation_prompt: true, ...this.#names }));
    } catch (e) {
      throw new HeddleError(`the chat template refuses the conversation: ${(e as Error).message}`, {
        subject: this.#session.build.folder,
      });
    }
  }
}

function sourceOf(template: string | undefined, folder: string): string {
  if (template !== undefined) return template;
  throw new HeddleError("has no chat template: the model was not trained to converse", {
    subject: folder,
    hint: "compile an instruction-tuned checkpoint, or name a template: --chat-template <file>",
  });
}

function parse(template: string, folder: string): Template {
  try {
    return new Template(template);
  } catch (e) {
    throw new HeddleError(`has a chat template that is not Jinja: ${(e as Error).message}`, { subject: folder });
  }
}
