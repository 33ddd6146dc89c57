// Tokens of varied texts by llama.cpp, for test/golden/llama/gemma-tokens.json: `npm run setup:llama && node scripts/golden_llama_tokens.mjs`.
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const package_ = resolve(process.env.HEDDLE_LLAMA ?? ".llama", "node_modules/node-llama-cpp");
const { getLlama } = await import(pathToFileURL(join(package_, "dist/index.js")).href);
const { version } = JSON.parse(readFileSync(join(package_, "package.json"), "utf8"));
const llama = await getLlama({ gpu: false, build: "never", skipDownload: true });
const model = await llama.loadModel({ modelPath: ".gemma/gemma-3-270m-q4_k_m.gguf", vocabOnly: true });

const texts = [
  "",
  " ",
  "\n",
  "\r\n",
  "a",
  "Hello, world!",
  "In the beginning God created the heaven and the earth.",
  "  leading and trailing  ",
  "tabs\tand\t\t\tmore\tthan one",
  "four    spaces, five     spaces, forty                                        spaces",
  `${"\n".repeat(40)}forty newlines`,
  "a\n\n b\n \n  c \r\n\r\nd",
  'def f(x: int) -> int:\n    """Doc."""\n    return x ** 2  # squared\n\n\nprint(f(3))\n',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: code, as a text.
  "const a = [1, 2, 3].map((x) => `${x}\\n`);\n\tif (a?.b ?? c) { /* … */ }",
  "#include <vector>\nint main() { std::vector<int> v{1,2}; return v[0] != 2 && !v.empty(); }",
  "<html><body><h1>Title</h1><p class='x'>text</p></body></html>",
  "SELECT * FROM t WHERE a >= 10 AND b LIKE '%_x%';",
  "0 1 12 123 1234 12345 123456789 3.14159 1e-10 0xFF 1,000,000 2026-11-24",
  "日本語のテキストです。改行\nも、スペース　も。",
  "中文文本：人工智能正在改变世界。",
  "한국어 텍스트입니다. 안녕하세요?",
  "مرحبا بالعالم، هذا نص عربي مع أرقام ١٢٣.",
  "שלום עולם",
  "Привет, мир! Ещё ёлка.",
  "Γειά σου Κόσμε",
  "नमस्ते दुनिया",
  "สวัสดีชาวโลก",
  "🙂 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 👍🏽 ✈️",
  "naïve café Straße œuvre Ångström ŝ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ﬁ",
  "e\u0301 versus \u00e9, n\u0303 versus \u00f1",
  "zero\u200bwidth\u200djoin\ufeffbom\u00a0nbsp\u2028line\u3000wide",
  "control \u0001\u0002\u007f characters",
  "unassigned \u0378 private \ue000 last \u{10ffff}",
  "\u2581already\u2581escaped\u2581\u2581spaces",
  "<0x41> <0xE2> <unk <pad",
  "[multimodal] <start_of_image> <table><tr><td>1</td></tr></table>",
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  "!?!?...---___===+++***///\\\\\\|||~~~```'''\"\"\"",
  "https://example.org/path?query=value&x=%20#fragment mail@example.org",
  "antidisestablishmentarianism Donaudampfschifffahrtsgesellschaftskapitän",
  "E=mc², ∑_{i=1}^{n} i = n(n+1)/2, ∀ε>0 ∃δ, x ≤ y ≠ z, 5€ £3 ¥100",
];
const special = [
  "<bos><start_of_turn>user\nHello!<end_of_turn>\n<start_of_turn>model\n",
  "<start_of_turn>user\n日本<end_of_turn>\n<eos><pad><unused0>",
];
const rows = (list, parse) => list.map((text) => ({ text, tokens: [...model.tokenize(text, parse)] }));
const content = { source: `node-llama-cpp ${version}`, plain: rows(texts, false), special: rows(special, true) };
writeFileSync(
  "test/golden/llama/gemma-tokens.json",
  `${JSON.stringify(content, undefined, 1).replace(/\[\s+([\d,\s]+?)\s+\]/g, (_, n) => `[${n.replace(/\s+/g, " ")}]`)}\n`,
);
process.exit(0);
