/** `npm run verify graphs/<program>.ts`: is what the compiled program computes what the model means? */
import { Option } from "commander";
import { withCleanup, withTemporaryFolder } from "../codegen/cleanup.ts";
import { type Precision, precisions } from "../codegen/precision.ts";
import { HeddleError } from "../ir/error.ts";
import type { BlockSize } from "../passes/quantize.ts";
import { type ExecutionName, executionNames, isArrayName } from "../runtime/execution.ts";
import { command, main, type Output } from "./support/command.ts";
import { table } from "./support/format.ts";
import { blockSizeOption, real, whole } from "./support/options.ts";
import { progress } from "./support/progress.ts";
import { quantizeRequest } from "./support/quantize-request.ts";

interface Options {
  readonly config?: string;
  readonly weights?: string;
  readonly precision: Precision;
  readonly seed: number;
  readonly parts?: number;
  readonly backend: ExecutionName;
  readonly tolerance: number;
  readonly blockSize?: BlockSize | "none";
}

/** One comparison: the largest difference of logits, or how many of the greedy tokens differ. */
interface Row {
  readonly against: string;
  readonly what: string;
  readonly error: number;
  readonly allowed: number;
}

const definition = command(
  "verify <graph> -- [options]",
  "Compiles and runs a program, and compares it with the untouched model in the interpreter and with Hugging Face's numbers.",
  ["verify graphs/gpt2-fa2-kv.ts", "verify graphs/gpt2-fa2-kv.ts -- --precision f16 --tolerance 1e-2"],
)
  .argument("<graph>", "graph file, such as graphs/gpt2-fa2-kv.ts")
  .option("--weights <path>", "a .safetensors or .gguf file, or a Hugging Face folder; without it weights are made up")
  .option("--config <name>", "the model's configuration (default: the checkpoint's, or the smallest)")
  .addOption(new Option("--precision <type>", "of the weights as stored").choices(precisions).default("f32"))
  .addOption(blockSizeOption())
  .option("--seed <n>", "seed of made-up weights", whole(0), 0)
  .option("--parts <n>", "cut the program into so many parts", whole(1))
  .addOption(new Option("--backend <name>", "what executes").choices(executionNames).default("reference"))
  .option("--tolerance <x>", "largest difference of a logit that is allowed", real(0), 1e-4);

async function run([file]: readonly string[], options: Options, output: Output): Promise<unknown> {
  if (options.backend === "htp" && options.precision === "f32")
    throw new HeddleError("has no f32 arithmetic", {
      subject: "backend htp",
      hint: "--precision f16 or w8a16, with --tolerance 1e-2",
    });
  const line = progress(!output.json);
  const verify = async (out: string) => {
    const rows: Row[] = [];
    for await (const row of compare(file!, options, out, line.step)) rows.push(row);
    line.done();
    output.print(show(rows));
    const bad = rows.filter((r) => !(r.error <= r.allowed));
    const rounds =
      options.precision === "f32" ? "" : `a larger --tolerance, as ${options.precision} rounds what it stores; or `;
    if (bad.length > 0 && !output.json)
      throw new HeddleError(`differs in ${bad.length} of ${rows.length} comparisons`, {
        subject: file,
        hint: `${rounds}prove the passes one by one: npm run compile <graph> -- --check`,
      });
    if (bad.length > 0) process.exitCode = 1;
    return { file, tolerance: options.tolerance, ok: bad.length === 0, rows };
  };
  return withTemporaryFolder("verify", (out) => withCleanup(line.done, () => verify(out)));
}

async function* compare(
  file: string,
  options: Options,
  out: string,
  step: (text: string) => void,
): AsyncGenerator<Row> {
  const { backend, tolerance, blockSize, ...compiling } = options;
  const quantize = quantizeRequest({ precision: options.precision, ...(blockSize && { blockSize }) });
  const [{ compileProgram }, { Session }, { openModel }, goldens] = await Promise.all([
    import("./support/compile-program.ts"),
    import("../runtime/session.ts"),
    import("./support/untouched.ts"),
    import("./support/goldens.ts"),
  ]);
  const model = await openModel(file, options);
  try {
    const target = backend === "reference" ? "reference" : isArrayName(backend) ? "phoenix" : "x-elite";
    const config = model.config === "checkpoint" ? {} : { config: model.config };
    await compileProgram(file, { ...compiling, quantize, ...config, target, out, onStep: step });
    const session = await Session.load(out, { backend });
    try {
      for (const { tokens, name } of model.prompts()) {
        step(`the interpreter computes ${name}`);
        const expected = model.logits(tokens);
        session.reset();
        const error = largestDifference(await session.prefill(tokens), expected);
        yield { against: "untouched model, f64", what: name, error, allowed: tolerance };
      }
      const known = goldens.findGoldens(model.info, model.weights);
      if (!known) return;
      const against = `Hugging Face ${known.header.transformers}, ${known.header.model}`;
      for await (const { kind, prompt, length, error } of goldens.compareWithGoldens(session, known)) {
        step(`Hugging Face's ${prompt}`);
        if (kind === "logits") yield { against, what: `logits after ${length} tokens`, error, allowed: tolerance };
        else yield { against, what: `greedy tokens after ${length} that differ`, error, allowed: 0 };
      }
    } finally {
      session.close();
    }
  } finally {
    model.weights.close();
  }
}

const largestDifference = (a: Float32Array, b: ArrayLike<number>): number =>
  a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);

function show(rows: readonly Row[]): string {
  const figure = ({ error, allowed }: Row) => (allowed === 0 ? String(error) : error.toExponential(1));
  return table(
    [{ title: "against" }, { title: "what" }, { title: "max error", align: "right" }, { title: "" }],
    rows.map((r) => [r.against, r.what, figure(r), r.error <= r.allowed ? "ok" : `MORE THAN ${r.allowed}`]),
  );
}

await main(definition, run);
