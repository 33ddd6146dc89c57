import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { byteTokenizer, loadTokenizer, streamText } from "../../src/runtime/tokenizer.ts";
import { tempFolder } from "../support/temp.ts";

/** A byte-level BPE of 256 bytes and three merges, as GPT-2's tokenizer.json has it. */
function byteLevel(): string {
  const path = join(tempFolder(), "tokenizer.json");
  const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  let next = 256;
  const alphabet = Array.from({ length: 256 }, (_, b) => String.fromCharCode(printable(b) ? b : next++));
  const merges = ["t h", "th e", "Ġ the"];
  const vocab = [...alphabet, "th", "the", "Ġthe", "<|endoftext|>"];
  const end = {
    id: 259,
    content: "<|endoftext|>",
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  };
  const byteLevelPart = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  writeFileSync(
    path,
    JSON.stringify({
      version: "1.0",
      added_tokens: [end],
      normalizer: null,
      pre_tokenizer: byteLevelPart,
      post_processor: null,
      decoder: byteLevelPart,
      model: { type: "BPE", unk_token: null, vocab: Object.fromEntries(vocab.map((t, i) => [t, i])), merges },
    }),
  );
  return path;
}
const tokenizer = loadTokenizer(byteLevel());

test("where a text is literal its control tokens are only text", () => {
  const text = "the<|endoftext|>the<|endoftext|>";
  const [the, end] = [257, 259];
  assert.equal(tokenizer.controls(text), [
    { start: 3, end: 16 },
    { start: 19, end: 32 },
  ]);
  assert.equal(tokenizer.encodePart(text), [the, end, the, end]);
  const first = tokenizer.encodePart(text, [{ start: 0, end: 5 }]);
  assert.equal([first[0], first.at(-2), first.at(-1)], [the, the, end]);
  assert.is(first.filter((t) => t === end).length, 1);
  assert.is(tokenizer.decode(first), "the<|endoftext|>the");
  const whole = tokenizer.encodePart(text, [{ start: 0, end: text.length }]);
  assert.not.ok(whole.includes(end));
  assert.is(tokenizer.decode(whole), text);
  assert.equal(byteTokenizer.controls(text), []);
});

test("byte-level BPE merges inside words and keeps every text", () => {
  assert.equal(tokenizer.encode("the theme"), [257, 258, 109, 101]);
  for (const text of ["the\n the  thé", "日本語 🙂\t", "a don't 12,345", ""])
    assert.is(tokenizer.decode(tokenizer.encode(text)), text);
  assert.equal(tokenizer.encode("é"), [0xc3, 0xa9]);
  assert.is(tokenizer.decode([257, 259]), "the");
});

test("a stream holds back bytes until a character is whole", () => {
  const stream = streamText(tokenizer);
  const pieces = tokenizer.encode("aé🙂 the").map((t) => stream.push(t));
  assert.equal(pieces, ["a", "", "é", "", "", "", "🙂", " the"]);
  assert.is(stream.end(), "");
});

test("a stream that continues a prompt keeps the space a decoder drops at a text's start", () => {
  const words = ["", "▁In", "▁the", "▁end"];
  const decode = (tokens: readonly number[]) =>
    tokens
      .map((t) => words[t]!)
      .join("")
      .replaceAll("▁", " ")
      .trimStart();
  const stream = streamText({ decode }, [1]);
  assert.is(stream.push(2) + stream.push(3), " the end");
  // A prompt that ends inside a character is no context.
  const half = streamText(tokenizer, [97, 0xc3]);
  assert.is(half.push(98), "b");
});

test("text that no UTF-8 can hold becomes U+FFFD", () => {
  assert.is(tokenizer.decode(tokenizer.encode("a\ud800b")), "a\ufffdb");
  assert.equal(byteTokenizer.encode("\udc00"), [0xef, 0xbf, 0xbd]);
});

test("a stream that ends inside a character says so", () => {
  const stream = streamText(tokenizer);
  assert.is(stream.push(0xf0), "");
  assert.is(stream.end(), "\ufffd");
});

test("without a tokenizer, bytes go in and numbers come out", () => {
  assert.equal(byteTokenizer.encode("hé"), [104, 0xc3, 0xa9]);
  assert.is(byteTokenizer.decode([104, 5000]), "104 5000 ");
});

test("a file that is no tokenizer is refused", () => {
  const path = join(tempFolder(), "tokenizer.json");
  writeFileSync(path, "{}");
  assert.throws(() => loadTokenizer(path), /tokenizer.json: is not a tokenizer that can be read: /);
});

test.run();
