/** The compiler from end to end: a graph file in, a build folder out. What `npm run compile` does, as a function. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CompileResult, compileModule } from "../../codegen/compile.ts";
import { loadProgram } from "../../frontend/load.ts";
import { f16Weights } from "../../passes/f16-weights.ts";
import { type PassRecord, runPasses } from "../../passes/run.ts";
import { loadTarget } from "../../targets/target.ts";
import { openCheckpoint } from "../../weights/checkpoint.ts";
import { seededWeights } from "../../weights/seeded.ts";

export interface CompileOptions {
  /** A configuration of the model by name; default is that of the checkpoint, or else the model's first. */
  readonly config?: string;
  /** A .safetensors file or Hugging Face folder; without it weights are made up from `seed`. */
  readonly weights?: string;
  readonly seed?: number;
  /** Of weights; activations are always f32. */
  readonly precision?: "f32" | "f16";
  readonly target?: string;
  /** Default `build/<program>`. */
  readonly out?: string;
  /** Prove every pass numerically. */
  readonly check?: boolean;
  /** Called with what is being done now. */
  readonly onStep?: (text: string) => void;
}

export interface Compiled extends CompileResult {
  readonly out: string;
  /** The model and its configuration: `gpt2 (tiny)`. */
  readonly model: string;
  readonly passes: readonly PassRecord[];
  /** The graph before the first pass and after each, as written to `ir/`. */
  readonly dumps: readonly { readonly title: string; readonly text: string }[];
  /** Milliseconds: reading the graph file, passes with verification and proof, code generation, weights. */
  readonly times: Readonly<Record<"load" | "passes" | "codegen" | "weights", number>>;
}

/** @throws HeddleError for whatever is wrong with graph file, weights or target; the old build folder is then as it was. */
export async function compileProgram(file: string, options: CompileOptions = {}): Promise<Compiled> {
  const { precision = "f32", target: targetName = "reference", check = false, onStep = () => {} } = options;
  const began = performance.now();
  const target = loadTarget(targetName);
  onStep(`reading ${file}`);
  const program = await loadProgram(file);
  const checkpoint = options.weights === undefined ? undefined : openCheckpoint(options.weights);
  const weights = checkpoint?.weights ?? seededWeights(options.seed);
  try {
    const config = options.config ?? (checkpoint?.config && { checkpoint: checkpoint.config });
    const built = program.build(config);
    const loaded = performance.now();

    const narrow = precision === "f16" && !program.passes.includes(f16Weights);
    const passes = narrow ? [...program.passes, f16Weights] : program.passes;
    const run = runPasses(built.module, passes, {
      target,
      check,
      dump: true,
      onPass: ({ name }) => onStep(`pass ${name}${check ? " proved" : ""}`),
    });
    const passed = performance.now();

    const dumps = [{ title: "model", text: run.text! }, ...run.records.map((r) => ({ title: r.name, text: r.text! }))];
    const out = options.out ?? join("build", program.name);
    onStep("generating code");
    const result = await compileModule({
      program: program.name,
      module: run.module,
      info: built.info,
      eos: checkpoint?.eos ?? [],
      target: targetName,
      precision,
      weights,
      out,
      ...(checkpoint?.tokenizer !== undefined && { tokenizer: checkpoint.tokenizer }),
      passes: run.records.map((r) => r.name),
      extra: (folder) => writeDumps(folder, dumps),
      progress: (done, total) => onStep(`writing weights: ${Math.round((100 * done) / total)}%`),
    });
    const times = { load: loaded - began, passes: passed - loaded, ...result.ms };
    return { ...result, out, model: `${program.model.name} (${built.config})`, passes: run.records, dumps, times };
  } finally {
    weights.close();
  }
}

/** `ir/00-model.ir`, `ir/01-<pass>.ir` ... */
function writeDumps(folder: string, dumps: Compiled["dumps"]): void {
  mkdirSync(join(folder, "ir"));
  for (const [i, { title, text }] of dumps.entries())
    writeFileSync(join(folder, "ir", `${String(i).padStart(2, "0")}-${title}.ir`), text);
}
