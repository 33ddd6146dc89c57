/** Where chat templates come from, and what a conversation looks like through Gemma's kind of template. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Template } from "@huggingface/jinja";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openCheckpoint } from "../../src/weights/checkpoint.ts";
import { chatFormat } from "../../src/weights/gguf/tokenizer.ts";
import { f32, writeSafeTensors } from "../support/safetensors.ts";
import { tempFolder } from "../support/temp.ts";

function chatOf(files: Readonly<Record<string, unknown>>) {
  const folder = join(tempFolder(), "model");
  mkdirSync(folder);
  writeSafeTensors(join(folder, "model.safetensors"), { "wte.weight": f32([1], 1) });
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  const { weights, chat } = openCheckpoint(folder);
  weights.close();
  return chat;
}

test("a folder's template: its own file before tokenizer_config.json, of several the default", () => {
  const config = { chat_template: "{{ 1 }}", bos_token: "<bos>", eos_token: { content: "<eos>" } };
  const names = { bos: "<bos>", eos: "<eos>" };
  assert.equal(chatOf({ "tokenizer_config.json": config }), { template: "{{ 1 }}", ...names });
  assert.equal(chatOf({ "tokenizer_config.json": config, "chat_template.jinja": "{{ 2 }}" }), {
    template: "{{ 2 }}",
    ...names,
  });
  const several = [
    { name: "tool_use", template: "{{ 3 }}" },
    { name: "default", template: "{{ 4 }}" },
  ];
  assert.equal(chatOf({ "tokenizer_config.json": { chat_template: several } }), { template: "{{ 4 }}" });
  for (const none of [{}, { chat_template: 7 }, { chat_template: [] }, { chat_template: [null] }])
    assert.is(chatOf({ "tokenizer_config.json": none }), undefined);
  assert.throws(() => chatOf({ "tokenizer_config.json": "{" }), /tokenizer_config.json: is not JSON/);
});

test("a GGUF file's template and the tokens that it names", () => {
  const metadata = new Map<string, string | number | readonly string[]>([
    ["tokenizer.chat_template", "{{ bos_token }}"],
    ["tokenizer.ggml.tokens", ["<pad>", "<eos>", "<bos>"]],
    ["tokenizer.ggml.bos_token_id", 2],
    ["tokenizer.ggml.eos_token_id", 9],
  ]);
  assert.equal(chatFormat(metadata), { template: "{{ bos_token }}", bos: "<bos>" });
  assert.is(chatFormat(new Map()), undefined);
});

test("the library renders turns as Gemma's documentation writes them", () => {
  // https://ai.google.dev/gemma/docs/core/prompt-structure
  const template = new Template(
    "{{ bos_token }}{% for m in messages %}" +
      "{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}" +
      "{{ '<start_of_turn>' + ('model' if m['role'] == 'assistant' else m['role']) + '\\n' + m['content'] | trim + '<end_of_turn>\\n' }}" +
      "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}",
  );
  const messages = [
    { role: "user", content: "knock knock" },
    { role: "assistant", content: "who is there" },
    { role: "user", content: " Gemma \n" },
  ];
  assert.is(
    template.render({ messages, add_generation_prompt: true, bos_token: "<bos>" }),
    `<bos><start_of_turn>user
knock knock<end_of_turn>
<start_of_turn>model
who is there<end_of_turn>
<start_of_turn>user
Gemma<end_of_turn>
<start_of_turn>model
`,
  );
  const twice = [messages[0], messages[0]];
  assert.throws(() => template.render({ messages: twice, bos_token: "" }), /roles must alternate/);
});

test.run();
