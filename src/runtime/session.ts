/** A loaded program at run time: a sequence of tokens, the model's opinion of what follows, and the memory in between. */
import { HeddleError } from "../ir/error.ts";
import { allocate, type Backend, release } from "./addon.ts";
import { type ArrayExecutor, arrayExecutor } from "./aie/executor.ts";
import { CachedRunner } from "./cached-runner.ts";
import { ChainedGraphs, type Residency } from "./chained-graphs.ts";
import type { Graphs } from "./entry-graph.ts";
import { EntryGraphs } from "./entry-graphs.ts";
import { checkExecution, defaultExecution, type ExecutionName, isArrayName } from "./execution.ts";
import { type Generated, type GenerateOptions, generate } from "./generate.ts";
import { openBackend } from "./libraries.ts";
import { newestHalf } from "./newest-half.ts";
import { openProgram, type ProgramFolder } from "./program-folder.ts";
import { RecomputeRunner } from "./recompute-runner.ts";
import type { Runner } from "./runner.ts";
import { Counters, type SessionStats } from "./statistics.ts";
import { byteTokenizer, loadTokenizer, type Tokenizer } from "./tokenizer.ts";

export interface SessionOptions {
  /**
   * What executes. Default `reference`, the embedded CPU backend, or for a build for an AIE array its simulator. A backend that
   * is not installed is an error that says what to install.
   */
  readonly backend?: ExecutionName;
  /** For a build for an AIE array: what runs its designs, in place of what `backend` names. */
  readonly executor?: ArrayExecutor;
  /** Threads of the reference backend; default one per core. */
  readonly threads?: number;
  /** When the context is full: fail (default), or forget the oldest half and go on. */
  readonly overflow?: "error" | "slide";
  /** Measure what the reference backend spends on appending to caches, for `stats`. */
  readonly profile?: boolean;
  /** Told what is being compiled before it can run, where that takes long; with undefined when it goes on. */
  readonly onStep?: (text: string | undefined) => void;
  /** Of a program in parts: whether they are held all together (default) or loaded in turn. */
  readonly residency?: Residency;
}

/**
 * One conversation with a program. Sessions are independent of each other; calls of one session must be awaited in turn.
 * ```ts
 * const session = await Session.load("build/gpt2-fa2-kv");
 * for await (const { text } of session.generate("In the beginning", { maxTokens: 64 })) process.stdout.write(text);
 * session.close();
 * ```
 */
export class Session {
  readonly build: ProgramFolder;
  /** The model's tokenizer; where it has none, text is taken as bytes and tokens are written as numbers. */
  readonly tokenizer: Tokenizer;
  readonly #backend: Backend;
  readonly #graphs: Graphs;
  readonly #runner: Runner;
  readonly #overflow: "error" | "slide";
  readonly #counters: Counters;
  #tokens: readonly number[] = [];
  #busy = false;
  #closed = false;

  private constructor(
    build: ProgramFolder,
    backend: Backend,
    executor: ArrayExecutor | undefined,
    { overflow = "error", profile = false, residency = "together", onStep }: SessionOptions,
  ) {
    const { manifest } = build;
    this.build = build;
    this.tokenizer = manifest.tokenizer === null ? byteTokenizer : loadTokenizer(build.path(manifest.tokenizer));
    this.#backend = backend;
    this.#overflow = overflow;
    this.#counters = new Counters();
    const open = (part: ProgramFolder["parts"][number]) =>
      new EntryGraphs(part, backend, this.#counters, { profiled: profile, executor, onStep });
    const [first] = build.parts;
    this.#graphs = build.parts.length > 1 ? new ChainedGraphs(build.parts, open, residency) : open(first!);
    const { positions } = manifest.model;
    this.#runner = manifest.entries.some((e) => e.role === "decode")
      ? new CachedRunner(manifest.entries, this.#graphs, this.#counters, positions, { allocate, release })
      : new RecomputeRunner(manifest.entries, this.#graphs, this.#counters, positions);
  }

  /**
   * Opens a build folder on a backend. Graphs are built when they are first used.
   * @throws HeddleError where the folder is not a sound build, or the backend cannot be loaded.
   */
  static async load(folder: string, options: SessionOptions = {}): Promise<Session> {
    const build = openProgram(folder);
    const { backend: name = defaultExecution(build.manifest), threads } = options;
    checkExecution(build, name, threads);
    // What the array leaves to the host runs on the reference backend.
    const { context } = build.parts[0]!.manifest;
    const soc = name === "htp" && context ? { soc: context.soc } : {};
    const backend = openBackend(isArrayName(name) ? "reference" : name, threads, soc);
    try {
      const executor = options.executor ?? (isArrayName(name) ? arrayExecutor(name) : undefined);
      return new Session(build, backend, executor, options);
    } catch (e) {
      backend.close();
      throw e;
    }
  }

  /** The sequence so far. */
  get tokens(): readonly number[] {
    return this.#tokens;
  }

  /** Longest sequence in tokens. */
  get capacity(): number {
    return this.#runner.capacity;
  }

  /**
   * Makes `tokens` the sequence and returns the logits [vocab] of what follows. Where the sequence so far begins the same,
   * the common part is not computed again.
   */
  prefill(tokens: readonly number[]): Promise<Float32Array> {
    return this.#run([...tokens], "prefill");
  }

  /** Appends one token and returns the logits [vocab] of what follows. */
  decode(token: number): Promise<Float32Array> {
    return this.#run([...this.#tokens, token], "decode");
  }

  /** Continues a prompt, token by token. */
  generate(prompt: string | readonly number[], options: GenerateOptions = {}): AsyncGenerator<Generated, void, void> {
    return generate(this, prompt, options);
  }

  /** Forgets the sequence and frees the cache. Graphs and statistics stay. */
  reset(): void {
    this.#refuseWhileBusy();
    this.#runner.reset();
    this.#tokens = [];
  }

  stats(): SessionStats {
    return this.#counters.snapshot();
  }

  /** Frees graphs, weights and backend. Harmless when repeated. */
  close(): void {
    if (this.#closed) return;
    this.#refuseWhileBusy();
    this.#closed = true;
    this.#runner.reset();
    this.#graphs.close();
    this.#backend.close();
  }

  async #run(sequence: readonly number[], phase: "prefill" | "decode"): Promise<Float32Array> {
    if (this.#closed) throw new HeddleError("the session is closed");
    this.#refuseWhileBusy();
    this.#checkTokens(sequence);
    const fitting = this.#fit(sequence, phase === "prefill" ? "the prompt" : "with this token the sequence");
    const counters = this.#counters;
    const { buildMs, computedTokens } = counters;
    const start = performance.now();
    this.#busy = true;
    try {
      const logits = await this.#runner.run(fitting);
      this.#tokens = fitting;
      counters[phase].tokens += phase === "decode" ? 1 : counters.computedTokens - computedTokens;
      counters[phase].ms += performance.now() - start - (counters.buildMs - buildMs);
      return logits;
    } finally {
      this.#busy = false;
    }
  }

  /** The sequence, or its newest half where it is too long: GPT-2 knows positions from 0, so the rest is computed again. */
  #fit(sequence: readonly number[], what: string): readonly number[] {
    const { capacity } = this.#runner;
    if (sequence.length <= capacity) return sequence;
    if (this.#overflow === "error")
      throw new HeddleError(`${what} is ${sequence.length} tokens long; the context holds ${capacity}`, {
        hint: "shorten it, or let the window slide (--overflow slide), which forgets the oldest half",
      });
    this.#counters.slides++;
    return newestHalf(sequence, this.tokenizer.encode(""), capacity);
  }

  #checkTokens(sequence: readonly number[]): void {
    if (sequence.length === 0)
      throw new HeddleError("the prompt is empty: at least one token is needed", { hint: "a word to go on from" });
    const { vocab } = this.build.manifest.model;
    const bad = sequence.findIndex((t) => !Number.isInteger(t) || t < 0 || t >= vocab);
    if (bad >= 0)
      throw new HeddleError(`token ${bad} of the sequence is ${sequence[bad]}; the vocabulary has 0 to ${vocab - 1}`);
  }

  #refuseWhileBusy(): void {
    if (this.#busy) throw new HeddleError("the session is still running: await the earlier call first");
  }
}
