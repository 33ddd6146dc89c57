/**
 * Hugging Face's checkpoints as sources of weights. Each family has its habits: a prefix in front of every name that some
 * files have and some have not, tensors that are no weights, a head that is the embedding table again.
 */
import { HeddleError } from "../ir/error.ts";
import { isWeightDtype, type SafeTensors } from "./safetensors.ts";
import type { TensorEntry } from "./safetensors-header.ts";
import { showSizes, type WeightSource } from "./source.ts";
import { checkStored, type StoredTensor, storedTensor } from "./stored.ts";

interface Family {
  /** What errors call it. */
  readonly name: string;
  /** The name that models use. */
  plain(name: string): string;
  /** Whether a tensor under this plain name is no weight of the language model. */
  ignored(name: string): boolean;
  readonly head: string;
  /** What the head is tied to. */
  readonly table: string;
}

const gpt2: Family = {
  name: "GPT-2",
  plain: (name) => name.replace(/^transformer\./, ""),
  // Constants that older versions of transformers saved along: the causal mask and the value of what it hides.
  ignored: (name) => /\.attn\.(masked_)?bias$/.test(name),
  head: "lm_head.weight",
  table: "wte.weight",
};

/** Checkpoints that also see images keep the language model under a name of its own. */
const gemma3: Family = {
  name: "Gemma 3",
  plain: (name) =>
    name.replace(/^(?:language_model\.(?=model\.|lm_head\.)|model\.language_model\.)/, (m) =>
      m.startsWith("model.") ? "model." : "",
    ),
  ignored: (name) => /^(model\.)?(vision_tower|multi_modal_projector)\./.test(name),
  head: "lm_head.weight",
  table: "model.embed_tokens.weight",
};

/** By config.json's `model_type`, or where there is none, by the names themselves. */
function familyOf(modelType: unknown, names: Iterable<string>): Family {
  if (typeof modelType === "string") return modelType.startsWith("gemma3") ? gemma3 : gpt2;
  for (const name of names) if (name.includes(".self_attn.")) return gemma3;
  return gpt2;
}

type Entry = StoredTensor & Pick<TensorEntry, "dtype">;
type Tensors = ReadonlyMap<string, Entry>;

/**
 * @param name what the manifest calls the source. @param modelType of config.json, if there is one.
 * @returns the source, which owns `file` from now on.
 */
export function hfWeights(file: SafeTensors, name: string, fingerprint: string, modelType?: unknown): WeightSource {
  const family = familyOf(modelType, file.tensors.keys());
  const stored = new Map<string, Entry>();
  const repeated: string[] = [];
  for (const { name, shape, dtype } of file.tensors.values()) {
    const plain = family.plain(name);
    const other = stored.get(plain);
    if (other) repeated.push(`${plain} is there twice, as ${other.name} and as ${name}`);
    const unreadable = isWeightDtype(dtype) ? undefined : `${dtype}; weights must be F32, F16 or BF16`;
    stored.set(plain, { name, shape, dtype, unreadable });
  }
  return {
    name,
    fingerprint,
    check: (wanted) => {
      const ignored = (n: string) => family.ignored(n) || (n === family.head && stored.has(family.table));
      checkStored(file.file, stored, wanted, { problems: repeated, ignored });
      checkTied(file, stored, family);
    },
    read: (weight, shape) => file.read(storedTensor(file.file, stored, { name: weight, shape }).name),
    readRows: (wanted, start, count) => file.readRows(storedTensor(file.file, stored, wanted).name, start, count),
    close: file.close,
  };
}

/** The head shares the embedding table; a file may repeat it, but not bring another. */
function checkTied(file: SafeTensors, stored: Tensors, { name, head, table }: Family): void {
  const [a, b] = [stored.get(head), stored.get(table)];
  if (!a || !b) return;
  if (differ(file, a, b))
    throw new HeddleError(`${a.name} differs from ${b.name}: ${name}'s head is tied to its embedding`, {
      subject: file.file,
      hint: "use a checkpoint with tie_word_embeddings = true",
    });
}

/** Compares row by row, many at a time: the two may be the largest tensors of the file. */
function differ(file: SafeTensors, a: Entry, b: Entry): boolean {
  if (showSizes(a.shape) !== showSizes(b.shape)) return true;
  const [rows = 1, ...rest] = a.shape;
  const step = Math.max(1, Math.floor((1 << 22) / rest.reduce((n, d) => n * d, 1)));
  for (let at = 0; at < rows; at += step) {
    const count = Math.min(step, rows - at);
    const [x, y] = [file.readRows(a.name, at, count), file.readRows(b.name, at, count)];
    if (x.some((v, i) => v !== y[i])) return true;
  }
  return false;
}
