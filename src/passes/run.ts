/** The runner: applies a list of passes to a module, and tells of each what it did, what it left and why, how long, and whether it is right. */
import { HeddleError, type Loc } from "../ir/error.ts";
import { describe } from "../ir/node.ts";
import { print } from "../ir/print.ts";
import type { Module } from "../ir/program.ts";
import type { Miss } from "../ir/rewrite.ts";
import { verify } from "../ir/verify.ts";
import { loadTarget, type Target } from "../targets/target.ts";
import type { Pass, PassContext } from "./pass.ts";
import { type Difference, type Proof, type ProofOptions, prove } from "./prove.ts";
import { liveOps } from "./support/static.ts";

/** What one pass did, as data: for tables, JSON and reports. */
export interface PassRecord {
  readonly name: string;
  readonly doc: string;
  /** How often each rule changed something, in order of the pass's rules. */
  readonly hits: readonly { readonly rule: string; readonly count: number }[];
  /** What looked right and was left alone. */
  readonly misses: readonly {
    readonly rule: string;
    readonly node: string;
    readonly loc?: Loc;
    readonly reason: string;
  }[];
  /** Ops that run at each execution; weight expressions and inputs do not count. */
  readonly nodesBefore: number;
  readonly nodesAfter: number;
  /** Time of the pass itself, without verification, text and proof. */
  readonly ms: number;
  /** The graph afterwards, with `dump`. */
  readonly text?: string;
  /** With `check`. */
  readonly proof?: Proof;
}

export interface RunOptions {
  /** Default: reference. */
  readonly target?: Target;
  /** Sizes of caches that are wanted, ascending. */
  readonly contexts?: readonly number[];
  /** Keep the text of the graph after each pass. */
  readonly dump?: boolean;
  /** Prove each pass numerically; `true` for small sizes and a fixed seed. */
  readonly check?: boolean | Partial<ProofOptions>;
  /** Called after each pass: progress, and the module as it is then. */
  readonly onPass?: (record: PassRecord, module: Module) => void;
}

export interface PassRun {
  readonly module: Module;
  readonly records: readonly PassRecord[];
  /** The graph before the first pass, with `dump`. */
  readonly text?: string;
}

const defaults: ProofOptions = { seed: 1, sizes: {}, tolerance: { f64: 1e-9, f32: 1e-4 } };

/**
 * Runs passes in order.
 * @throws HeddleError naming the pass, and the rule and node where known, when a pass throws, leaves an ill-formed graph, or
 * (with `check`) changes the result.
 */
export function runPasses(module: Module, passes: readonly Pass[], options: RunOptions = {}): PassRun {
  const { target = loadTarget("reference"), contexts, dump = false, check = false, onPass } = options;
  const proof: ProofOptions = { ...defaults, ...(typeof check === "object" && check) };
  verify(module.graph);
  const first = dump ? { text: print(module.graph) } : {};
  const records: PassRecord[] = [];
  for (const pass of passes) {
    const { after, record } = inPass(pass, () => runPass(pass, module, { target, ...(contexts && { contexts }) }));
    inPass(pass, () => verify(after.graph), "left an ill-formed graph: ");
    const full: PassRecord = {
      ...record,
      ...(dump && { text: print(after.graph) }),
      ...(check && { proof: inPass(pass, () => proofOf(pass, module, after, proof)) }),
    };
    records.push(full);
    onPass?.(full, after);
    if (full.proof?.difference) throw disproved(pass, full.proof.difference);
    module = after;
  }
  return { module, records, ...first };
}

/** Applies one pass and takes its record. */
function runPass(
  pass: Pass,
  module: Module,
  given: Pick<PassContext, "target" | "contexts">,
): { after: Module; record: PassRecord } {
  const hits = new Map(pass.rules(given.target).map((r) => [r.name, 0]));
  const misses: Miss[] = [];
  const start = performance.now();
  const after = pass.run(module, {
    ...given,
    hit: (rule) => hits.set(rule, (hits.get(rule) ?? 0) + 1),
    miss: (miss) => misses.push(miss),
  });
  const ms = performance.now() - start;
  const record = {
    name: pass.name,
    doc: pass.doc,
    hits: [...hits].map(([rule, count]) => ({ rule, count })),
    misses: misses.map(({ rule, node, reason }) => ({
      rule,
      node: describe(node),
      ...(node.loc && { loc: node.loc }),
      reason,
    })),
    nodesBefore: liveOps(module.graph),
    nodesAfter: liveOps(after.graph),
    ms,
  };
  return { after, record };
}

function proofOf(pass: Pass, before: Module, after: Module, options: ProofOptions): Proof {
  if (before.graph === after.graph) return { sizes: {}, error: { f64: 0, f32: 0 } };
  const { prove: own, tolerance } = pass.proof;
  const allowed = tolerance === undefined ? options : { ...options, tolerance: { f64: tolerance, f32: tolerance } };
  return own ? own(before, after, allowed) : prove(before.graph, after.graph, allowed);
}

function disproved(pass: Pass, { output, precision, error, allowed, first }: Difference): HeddleError {
  const by = (e: number) => (Number.isNaN(e) ? "by NaN" : `by ${e.toPrecision(2)} of the largest value`);
  const where = first ? `; the first value to differ is ${first.node}, ${by(first.error)}` : "";
  return new HeddleError(
    `pass ${pass.name} changes the result: in ${precision}, output ${output} differs ${by(error)} where ${allowed} is allowed${where}`,
    { loc: first?.loc, hint: `compare the graphs before and after with --dump` },
  );
}

/** Whatever goes wrong inside carries the pass's name. */
function inPass<T>(pass: Pass, run: () => T, what = ""): T {
  try {
    return run();
  } catch (e) {
    const known = e instanceof HeddleError ? e : undefined;
    const reason = known?.reason ?? (e instanceof Error ? (e.stack ?? e.message) : String(e));
    const error = new HeddleError(`pass ${pass.name}: ${what}${reason}`, known?.context);
    error.cause = e;
    throw error;
  }
}
