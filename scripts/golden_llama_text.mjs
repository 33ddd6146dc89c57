// Greedy text and perplexity by llama.cpp, for test/golden/llama/gemma-text.json, of which each part is made by itself:
//   npm run setup:gemma && npm run setup:llama
//   node scripts/golden_llama_text.mjs greedy .gemma/gemma-3-270m-q4_k_m.gguf
//   node scripts/golden_llama_text.mjs stepwise .gemma/gemma-3-270m-q4_k_m.gguf
//   node scripts/golden_llama_text.mjs single .gemma/gemma-3-270m-q4_k_m.gguf
//   node scripts/golden_llama_text.mjs perplexity .gemma/gemma-3-270m-q4_k_m.gguf
//   python scripts/expand_gguf.py .gemma/gemma-3-270m-q4_k_m.gguf expanded.gguf
//   node scripts/golden_llama_text.mjs expanded expanded.gguf
// `greedy`: of each prompt 64 tokens, each with the two best logits it was chosen by, caches in f32, the prompt in batches of 256.
// `stepwise`: the same with prompts read token by token, where llama.cpp adds in the same order all along. `expanded`: as `greedy`
// from the same weights as f32, where llama.cpp does not round activations to 8 bits. `single`: the two best logits after one
// token alone, for a hundred tokens. `perplexity`: the text's tokens, and the sum of -log p of the tokens up to and including
// `count` of them, with caches in f32 and, as `half`, in f16, llama.cpp's default.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const steps = 64;
const scored = 2000;
const marks = [128, 256, 512, 1000, scored];
const heldOut = "test/fixtures/gpt2-bible/heldout.txt";
const file = "test/golden/llama/gemma-text.json";

const package_ = resolve(process.env.HEDDLE_LLAMA ?? ".llama", "node_modules/node-llama-cpp");
const { getLlama } = await import(pathToFileURL(join(package_, "dist/index.js")).href);
const { version } = JSON.parse(readFileSync(join(package_, "package.json"), "utf8"));
const llama = await getLlama({ gpu: false, build: "never", skipDownload: true });
const [part, modelPath] = process.argv.slice(2);
if (!["greedy", "stepwise", "expanded", "single", "perplexity"].includes(part) || !modelPath)
  throw new Error("usage: see the top of this file");
const model = await llama.loadModel({ modelPath });
const text = readFileSync(heldOut, "utf8");

const prompts = {
  english: "The old lighthouse keeper climbed the stairs every evening and",
  facts: "The capital of France is",
  python: "def fibonacci(n):\n    ",
  javascript: "// Returns the sum of an array\nfunction sum(values) {\n",
  numbers: "1, 1, 2, 3, 5, 8, 13,",
  table: "| year | price |\n| --- | --- |\n| 2019 | 4.50 |\n| 2020 |",
  german: "Es war einmal ein kleines Mädchen, das",
  russian: "Однажды утром",
  chinese: "人工智能正在改变",
  arabic: "كان يا ما كان",
  hindi: "भारत एक",
  empty: "",
  "across the window": text.slice(0, 2600),
};

// Nine digits tell every float apart.
const digits = (x) => Number(x.toPrecision(9));
async function fresh(use, type = "F32") {
  const context = await model.createContext({
    contextSize: 2304,
    batchSize: part === "stepwise" ? 1 : 256,
    threads: 1,
    flashAttention: false,
    swaFullCache: true, // else a key's place, and with it the order of sums, comes round
    experimentalKvCacheKeyType: type,
    experimentalKvCacheValueType: type,
  });
  const result = await use(context.getSequence());
  await context.dispose();
  return result;
}

/** The best logits after the last of `tokens`, best first. */
async function bestTwo(sequence, tokens) {
  const next = { logits: { filter: { tokens: [], includeTop: 2 } } };
  const asked = tokens.map((t, i) => (i === tokens.length - 1 ? [t, { generateNext: next }] : t));
  const { logits } = (await sequence.controlledEvaluate(asked)).at(-1).next;
  return [...logits].sort((a, b) => b[1] - a[1]).map(([id, logit]) => [id, digits(logit)]);
}

async function greedy() {
  const found = [];
  for (const [name, prompt] of Object.entries(prompts)) {
    const tokens = [model.tokens.bos, ...model.tokenize(prompt)];
    const best = await fresh(async (sequence) => {
      const chosen = [await bestTwo(sequence, tokens)];
      while (chosen.length < steps) chosen.push(await bestTwo(sequence, [chosen.at(-1)[0][0]]));
      return chosen;
    });
    found.push({ name, prompt: tokens, text: model.detokenize(best.map(([[id]]) => id)), best });
    console.log(`${name}: ${tokens.length} tokens, smallest gap ${Math.min(...best.map(([a, b]) => a[1] - b[1]))}`);
    console.log(`  ${JSON.stringify(found.at(-1).text)}`);
  }
  return found;
}

async function perplexity() {
  const tokens = [model.tokens.bos, ...model.tokenize(text)].slice(0, scored + 1);
  return { file: heldOut, tokens, nats: await natsOf(tokens, "F32"), half: await natsOf(tokens, "F16") };
}

async function natsOf(tokens, type) {
  const nats = [];
  await fresh(async (sequence) => {
    let sum = 0;
    for (let i = 0; i < scored; i++) {
      const wanted = { logits: { filter: { tokens: [tokens[i + 1]], includeTop: 1 } }, totalLogitWeight: true };
      const [{ next }] = await sequence.controlledEvaluate([[tokens[i], { generateNext: wanted }]]);
      sum += Math.max(...next.logits.values()) + Math.log(next.totalLogitWeight) - next.logits.get(tokens[i + 1]);
      if (marks.includes(i + 1)) nats.push({ count: i + 1, nats: digits(sum) });
      if ((i + 1) % 100 === 0) console.log(`${i + 1} tokens: perplexity ${Math.exp(sum / (i + 1)).toFixed(4)}`);
    }
  }, type);
  return nats;
}

async function single() {
  const tokens = Array.from({ length: 100 }, (_, i) => 300 + i * 2503);
  const best = [];
  await fresh(async (sequence) => {
    for (const token of tokens) {
      await sequence.clearHistory();
      best.push(await bestTwo(sequence, [token]));
    }
  });
  return tokens.map((token, i) => ({ token, best: best[i] }));
}

const made = await { greedy, stepwise: greedy, expanded: greedy, single, perplexity }[part]();
const known = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
const content = { ...known, source: `node-llama-cpp ${version}, CPU`, [part]: made };
const lines = JSON.stringify(content, undefined, 1).replace(
  /\[\s+([^[\]{}]+?)\s+\]/g,
  (_, n) => `[${n.replace(/\s+/g, " ")}]`,
);
writeFileSync(file, `${lines}\n`);
console.log(`wrote ${file}`);
process.exit(0);
