/** Conversations: what the template makes of them, that only what is new is computed, and what is refused. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Conversation } from "../../src/runtime/conversation.ts";
import type { GenerateOptions } from "../../src/runtime/generate.ts";
import { Session } from "../../src/runtime/session.ts";
import { build } from "../support/builds.ts";

const folder = await build("gpt2-fa2-kv-fused", { weights: "test/fixtures/gpt2-bible" });
const template =
  "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content | trim }}\n{% endfor %}" +
  "{% if add_generation_prompt %}assistant:{% endif %}";

/** A session that notes what it was asked to continue. */
async function listening() {
  const session = await Session.load(folder);
  const asked: string[] = [];
  const generate = session.generate.bind(session);
  session.generate = (prompt, options) => {
    asked.push(typeof prompt === "string" ? prompt : session.tokenizer.decode(prompt));
    return generate(prompt, options);
  };
  return { session, asked };
}
async function say(conversation: Conversation, text: string, options: GenerateOptions = {}): Promise<string> {
  let answer = "";
  for await (const piece of conversation.send(text, { maxTokens: 6, stop: [], ...options })) answer += piece.text;
  return answer;
}

test("turns go through the template; the second computes only what is new", async () => {
  const { session, asked } = await listening();
  const conversation = new Conversation(session, { template, system: "Be brief." });
  const first = await say(conversation, "  And it came to pass  ");
  const before = session.stats().prefill.tokens;
  const sequence = session.tokens.length;
  await say(conversation, "And he said");
  assert.is(asked[0], "system: Be brief.\nuser: And it came to pass\nassistant:");
  const kept = asked[1]!.startsWith(asked[0]! + first);
  assert.ok(kept, asked[1]);
  assert.ok(asked[1]!.endsWith("user: And he said\nassistant:"));
  // The last token made was never run; everything before it was in the cache.
  assert.ok(
    session.stats().prefill.tokens - before < sequence,
    `${session.stats().prefill.tokens} ${before} ${sequence}`,
  );
  assert.equal(
    conversation.messages.map((m) => m.role),
    ["system", "user", "assistant", "user", "assistant"],
  );
  session.close();
});

test("a turn that fails is forgotten, one that is ended early is kept", async () => {
  const { session } = await listening();
  const conversation = new Conversation(session, { template });
  let failure = "";
  await say(conversation, "word ".repeat(2000)).catch((e: Error) => (failure = e.message));
  assert.match(failure, /tokens long; the context holds/);
  assert.equal(conversation.messages, []);
  for await (const _ of conversation.send("And", { maxTokens: 50, stop: [] })) break;
  assert.is(conversation.messages.length, 2);
  session.close();
});

test("control tokens that are typed stay text; those of the template control", async () => {
  const { session } = await listening();
  const end = session.tokenizer.encodePart("<|endoftext|>");
  assert.is(end.length, 1);
  const prompts: (readonly number[])[] = [];
  const generate = session.generate.bind(session);
  session.generate = (prompt, options) => {
    prompts.push(prompt as readonly number[]);
    return generate(prompt, options);
  };
  const ends = "{% for m in messages %}{{ m.content | trim }}<|endoftext|>{% endfor %}";
  const conversation = new Conversation(session, { template: ends, system: "<|endoftext|> no" });
  await say(conversation, "  let there be<|endoftext|>light \ufdd0 ");
  await say(conversation, "<|endoftext|>");
  const controls = (tokens: readonly number[]) => tokens.filter((t) => t === end[0]).length;
  assert.equal(prompts.map(controls), [2, 4], "one for each message");
  const shown = session.tokenizer.decode(prompts[0]!);
  assert.is(shown, "<|endoftext|> nolet there be<|endoftext|>light \ufdd0");
  assert.match(
    conversation.messages[1]!.content,
    /^ {2}let there be<\|endoftext\|>light/,
    "what was said is kept as it was",
  );
  session.close();
});

test("templates that are missing, broken, or refuse", async () => {
  const { session } = await listening();
  assert.throws(
    () => new Conversation(session),
    /has no chat template: the model was not trained to converse\n {2}try: /,
  );
  assert.throws(() => new Conversation(session, { template: "{% for %}" }), /has a chat template that is not Jinja: /);
  const strict = new Conversation(session, { template: "{{ raise_exception('no system, please') }}" });
  let failure = "";
  await say(strict, "x").catch((e: Error) => (failure = e.message));
  assert.match(failure, /the chat template refuses the conversation: no system, please/);
  session.close();
});

test.run();
