/** Where in the author's files a call was made: the call stack mapped back to the source, without the compiler's own frames. */
import { findSourceMap } from "node:module";
import { fileURLToPath } from "node:url";

/** A position in a source file; line and column count from 1. */
export interface Frame {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** Deep enough for the compiler's own frames and the author's helpers above them. */
const depth = 24;
const own = ["../ir/", "../passes/", "./"].map((folder) => fileURLToPath(new URL(folder, import.meta.url)));

const isUser = (path: string): boolean =>
  !path.startsWith("node:") && !path.includes("node_modules") && !own.some((folder) => path.startsWith(folder));

/** One frame per place in compiled code: the same call is asked about once per layer of a model. */
const mapped = new Map<string, Frame>();

/** Frames of the author's files, innermost first. */
export function userFrames(): Frame[] {
  const { stackTraceLimit, prepareStackTrace } = Error;
  const holder: { stack?: NodeJS.CallSite[] } = {};
  Error.stackTraceLimit = depth;
  Error.prepareStackTrace = (_, sites) => sites;
  try {
    Error.captureStackTrace(holder, userFrames);
    return (holder.stack ?? []).flatMap((site) => frameOf(site) ?? []);
  } finally {
    Object.assign(Error, { stackTraceLimit, prepareStackTrace });
  }
}

function frameOf(site: NodeJS.CallSite): Frame | undefined {
  const script = site.getFileName();
  const line = site.getLineNumber();
  const column = site.getColumnNumber();
  if (!script || line === null || column === null) return undefined;
  const path = script.startsWith("file:") ? fileURLToPath(script) : script;
  if (!isUser(path)) return undefined;
  const key = `${line}:${column}:${script}`;
  let frame = mapped.get(key);
  if (!frame) {
    frame = toSource(script, { path, line, column });
    mapped.set(key, frame);
  }
  return frame;
}

/** Source maps count from 0. Without one, the code runs as it was written. */
function toSource(script: string, at: Frame): Frame {
  const entry = findSourceMap(script)?.findEntry(at.line - 1, at.column - 1);
  if (!entry || !("originalLine" in entry)) return at;
  return { path: at.path, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
}

/** Frames of the author's files in the stack of an error, innermost first. Node maps the text of a stack itself. */
export function framesOf(error: Error): Frame[] {
  const places = (error.stack ?? "").matchAll(/\(?((?:file:\/\/)?[^\s()]+):(\d+):(\d+)\)?$/gm);
  return [...places].flatMap(([, script = "", line, column]) => {
    const path = script.startsWith("file:") ? fileURLToPath(script) : script;
    return isUser(path) ? { path, line: Number(line), column: Number(column) } : [];
  });
}
