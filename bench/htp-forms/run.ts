/**
 * Costs forms of GPT-2 124M, or of Gemma 3 270M with `--model gemma`, on Qualcomm's simulator, a row of figures each: `npx tsx
 * bench/htp-forms/run.ts [--model gpt2] [--rows 1] [--places 256] [--layers 12] [--no-head] [--precision f16] [--optimization 2]
 * [--vary join,gelu]`. With `--vary` every choice of these fields is tried in turn, the others as chosen or given.
 */
import { parseArgs } from "node:util";
import { type GemmaForm, gemma, gemmaChoices } from "./gemma.ts";
import { type Form, gpt2 } from "./gpt2.ts";
import { F16, F32, U8, U16 } from "./sketch.ts";

type Field = keyof Form | keyof GemmaForm;
type Choices = Readonly<Partial<Record<Field, readonly string[]>>>;

const gpt2Choices: Choices = {
  linear: ["fully-connected", "conv2d"],
  qkv: ["merged", "split"],
  heads: ["batched", "single"],
  join: ["keys", "scores", "elements"],
  cache: [F32, F16, U16, U8],
  gelu: ["tanh", "sigmoid", "native", "tiles"],
  headWeights: ["w8", "w4"],
  blockSize: ["0", "32", "64", "128"],
  pieces: ["1", "2", "4", "8", "16"],
};
const numbers: readonly string[] = ["rows", "places", "layers", "blockSize", "pieces"];

const text = { type: "string" } as const;
const fields = Object.fromEntries(Object.keys({ ...gpt2Choices, ...gemmaChoices }).map((name) => [name, text]));
const { values } = parseArgs({
  allowNegative: true,
  options: {
    ...fields,
    model: { ...text, default: "gpt2" },
    rows: { ...text, default: "1" },
    places: { ...text, default: "256" },
    layers: text,
    head: { type: "boolean", default: true },
    precision: text,
    optimization: { ...text, default: "2" },
    vary: { ...text, default: "" },
  },
}) as { values: Readonly<Record<string, string | boolean | undefined>> };

const isGemma = values.model === "gemma";
const precision = String(values.precision ?? (isGemma ? "w4" : "f16"));
const fixed = !precision.match(/f16|islands/);
const gemmaBase = {
  layers: 18,
  join: "keys",
  cache: "u8",
  norm: "first",
  post: "concat",
  heads: "matrix",
  rotary: "halves",
  gate: "native",
  pieces: 8,
};
const gpt2Base = {
  layers: 12,
  linear: "fully-connected",
  qkv: "merged",
  heads: "batched",
  join: "keys",
  cache: fixed ? U8 : F16,
  headWeights: "w8",
  gelu: fixed || values.rows !== "1" ? "native" : "tanh",
  blockSize: 0,
  pieces: 0,
};
const given = Object.entries(values).map(([name, value]) => [name, numbers.includes(name) ? Number(value) : value]);
const base = { ...(isGemma ? gemmaBase : gpt2Base), ...Object.fromEntries(given), precision };
const choices: Choices = isGemma ? gemmaChoices : gpt2Choices;
const sketch = (form: object) => (isGemma ? gemma(form as GemmaForm) : gpt2(form as Form));

const varied = String(values.vary).split(",").filter(Boolean) as Field[];
const forms = varied.length
  ? varied.flatMap((field) =>
      choices[field]!.map((choice) => ({
        label: `${field} ${choice}`,
        form: { ...base, [field]: numbers.includes(field) ? Number(choice) : choice },
      })),
    )
  : [{ label: "as chosen", form: base }];
for (const { label, form } of forms)
  try {
    const { us, read, written, spilled, finalizeSeconds } = await sketch(form).cost({
      optimization: Number(values.optimization),
    });
    const mb = (n: number) => (n / 1e6).toFixed(1);
    const bound = (read / 45.8e3).toFixed(0);
    process.stdout.write(
      `${label.padEnd(24)} ${us} us, reads ${mb(read)} MB (${bound} us), writes ${mb(written)}, spills ${mb(spilled)}, finalize ${finalizeSeconds.toFixed(1)} s\n`,
    );
  } catch (e) {
    process.stdout.write(`${label.padEnd(24)} refused: ${(e as Error).message.split("\n").slice(0, 3).join(" | ")}\n`);
  }
