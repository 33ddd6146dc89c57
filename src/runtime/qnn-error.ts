/** What a QNN backend refused, in words. */
import { type Context as ErrorContext, HeddleError, parseLoc } from "../ir/error.ts";
import { decodeQnnError } from "./qnn/errors.ts";

/** What the addon knows about a failed call. */
export interface QnnFailure {
  /** Low 16 bits of the returned value; 0 where a library could not be used at all. */
  readonly code: number;
  /** The function of the interface, such as `graphAddNode`. */
  readonly call?: string;
  /** Provider name of the backend, such as `HTP_QTI_AISW`. */
  readonly backend?: string;
  /** The backend's own words for the code, or what is wrong with the library. */
  readonly detail?: string;
  readonly graph?: string;
  readonly node?: string;
  /** QNN op type of the node. */
  readonly op?: string;
  readonly tensor?: string;
  /** `file:line:column` of the graph file. */
  readonly location?: string;
  /** What the backend logged during the call. */
  readonly log: readonly string[];
}

/** A failed call to a backend library, or a library that is not one. */
export class QnnError extends HeddleError {
  /** Name of the code: `QNN_GRAPH_ERROR_INVALID_OP_CONFIG`; `QnnError` where there is no code. */
  override readonly name: string;
  readonly code: number;
  /** What the code means. */
  readonly words: string;
  readonly call: string | undefined;
  readonly backend: string | undefined;
  readonly graph: string | undefined;
  readonly node: string | undefined;
  readonly op: string | undefined;
  readonly tensor: string | undefined;
  readonly log: readonly string[];
  /** All of it as plain data, from which another process can make the same error. */
  readonly failure: QnnFailure;

  constructor(failure: QnnFailure, context: ErrorContext = {}) {
    const decoded = failure.code === 0 ? undefined : decodeQnnError(failure.code);
    const words = decoded?.words ?? failure.detail ?? "the library cannot be used";
    super(describe(failure, words), {
      subject: context.subject ?? subject(failure),
      loc: context.loc ?? parseLoc(failure.location),
      hint: context.hint ?? decoded?.hint,
    });
    this.name = decoded?.name ?? "QnnError";
    this.code = failure.code;
    this.words = words;
    this.call = failure.call;
    this.backend = failure.backend;
    this.graph = failure.graph;
    this.node = failure.node;
    this.op = failure.op;
    this.tensor = failure.tensor;
    this.log = failure.log;
    this.failure = failure;
  }

  override with(more: ErrorContext): QnnError {
    const known = Object.fromEntries(Object.entries(this.context).filter(([, v]) => v !== undefined));
    return new QnnError(this.failure, { ...more, ...known });
  }
}

const quoted = (what: string, name: string | undefined): string => (name === undefined ? "" : `${what} '${name}'`);

/** `Gelu node 'h0.gelu' of graph 'decode-256'` */
function subject(f: QnnFailure): string | undefined {
  const parts = [
    f.node !== undefined ? `${f.op ?? "?"} ${quoted("node", f.node)}` : quoted("tensor", f.tensor),
    quoted("graph", f.graph),
  ].filter((part) => part !== "");
  return parts.length === 0 ? undefined : parts.join(" of ");
}

function describe(f: QnnFailure, words: string): string {
  if (f.code === 0) return words;
  const who = `${f.backend ?? "the backend"}: ${f.call ?? "a call"} failed with ${f.code}, ${words}`;
  // The library's own words are worth a line when they say more than the name of the code.
  const own = f.detail && !f.detail.includes("QNN_") ? `\n  backend: ${f.detail.trim()}` : "";
  return who + own + f.log.map((line) => `\n  log: ${line.trim()}`).join("");
}
