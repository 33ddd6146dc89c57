/** Loading of graph files: TypeScript modules (tsx is the runtime) that export a program; values keep the author's names. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { HeddleError, rethrow } from "../ir/error.ts";
import { nearest } from "../ir/nearest.ts";
import { withProvider } from "../ir/origin.ts";
import type { LayerRange, ModelInfo, Module } from "../ir/program.ts";
import type { Pass } from "../passes/pass.ts";
import { isProgram, type Program } from "../passes/program.ts";
import { locOf, sourceNames } from "./names.ts";
import { framesOf } from "./stack.ts";

/** Which configuration of a model: one of its own by name, or what a checkpoint's config.json says. */
export type ConfigChoice = string | { readonly checkpoint: Readonly<Record<string, unknown>> };

export interface BuiltModel {
  readonly module: Module;
  readonly info: ModelInfo;
  /** The configuration's name, or "checkpoint". */
  readonly config: string;
}

export interface LoadedProgram {
  /** The file's name without its extension: `gpt2-fa2-kv`. */
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  readonly model: Program["model"];
  readonly passes: readonly Pass[];
  /** Names of the model's configurations; the first is the default. */
  readonly configs: readonly string[];
  /**
   * The model as a graph, before any pass, with names and locations from the source.
   * @param layers only these of them.
   * @param longest sequence that is wanted.
   * @throws HeddleError with the file, line and column of the call, for an ill-typed graph, an unknown configuration, or layers
   * that there are not.
   */
  build(config?: ConfigChoice, layers?: LayerRange, longest?: number): BuiltModel;
}

const example = "a graph file such as graphs/gpt2-fa2-kv.ts";

/** Imports a graph file. @throws HeddleError for a missing file, one that fails to run, or one that exports no program. */
export async function loadProgram(path: string): Promise<LoadedProgram> {
  const file = resolve(path);
  const subject = path;
  if (!existsSync(file)) throw new HeddleError("there is no such file", { subject, hint: similarFile(path) });
  if (!statSync(file).isFile()) throw new HeddleError("is a folder", { subject, hint: example });
  if (!/^\.[cm]?[jt]s$/.test(extname(file)))
    throw new HeddleError("is not a graph file: those are TypeScript", { subject, hint: example });
  // The parser takes longer to load than a graph file; both load at the same time.
  const [{ Sources }, exported] = await Promise.all([
    import("./source.ts"),
    import(pathToFileURL(file).href).catch((e) => located(e, subject)) as Promise<{ default?: unknown }>,
  ]);
  const program = exported.default;
  if (!isProgram(program))
    throw new HeddleError("exports no program", {
      subject,
      hint: "export default program({ model: gpt2, passes: [flashAttention] })",
    });
  const { model, passes } = program;
  const provider = sourceNames(new Sources());
  const configs = Object.keys(model.configs);
  return {
    name: basename(file, extname(file)),
    file,
    model,
    passes,
    configs,
    build: (choice = configs[0]!, layers, longest) => {
      const config = configOf(program, choice);
      if (layers) checkLayers(model, model.info(config), layers);
      try {
        const module = withProvider(provider, () => model.build(config, layers, longest));
        return { module, info: model.info(config), config: typeof choice === "string" ? choice : "checkpoint" };
      } catch (e) {
        return located(e, subject);
      }
    },
  };
}

/** @throws HeddleError for layers that the model has not, or cannot be taken out of it. */
function checkLayers(model: Program["model"], { layers }: ModelInfo, { first, last }: LayerRange): void {
  const subject = `model ${model.name}`;
  if (model.build.length < 2)
    throw new HeddleError("cannot be taken apart into layers", {
      subject,
      hint: "leave --layers out; graphs/gemma3-27b.ts is a program that can",
    });
  if (first > last || last >= layers)
    throw new HeddleError(`has no layers ${first} to ${last}`, { subject, hint: `its layers are 0 to ${layers - 1}` });
}

/** The graph file that was probably meant: relative to where npm was called, or of a similar name there or in graphs/. */
function similarFile(path: string): string {
  const called = process.env.INIT_CWD && resolve(process.env.INIT_CWD, path);
  if (called && statSync(called, { throwIfNoEntry: false })?.isFile())
    return `${relative(".", called)}: npm runs scripts in ${basename(resolve("."))}/`;
  const names = new Map<string, string>();
  for (const folder of ["graphs", dirname(path)])
    for (const f of existsSync(folder) ? readdirSync(folder) : [])
      if (extname(f) === ".ts") names.set(basename(f, ".ts"), join(folder, f));
  const meant = nearest(basename(path, extname(path)), names.keys());
  return meant === undefined ? example : names.get(meant)!;
}

function configOf({ model }: Program, choice: ConfigChoice): unknown {
  const subject = `model ${model.name}`;
  if (typeof choice === "string") {
    if (Object.hasOwn(model.configs, choice)) return model.configs[choice];
    throw new HeddleError(`has no configuration ${choice}`, {
      subject,
      hint: `one of ${Object.keys(model.configs).join(", ")}`,
    });
  }
  if (!model.fromCheckpoint) throw new HeddleError("cannot read the configuration of a checkpoint", { subject });
  try {
    return model.fromCheckpoint(choice.checkpoint);
  } catch (e) {
    return rethrow(e, {
      subject: `${subject}, config.json`,
      hint: "other weights, or a graph file of the model that these are of",
    });
  }
}

/** Throws what a graph file threw, with the place in the author's files where it did. */
function located(cause: unknown, subject: string): never {
  if (cause instanceof HeddleError && cause.context.loc) throw cause;
  const [frame] = cause instanceof Error ? framesOf(cause) : [];
  return rethrow(cause, { subject, loc: frame && locOf(frame) });
}
