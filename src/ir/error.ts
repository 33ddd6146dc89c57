/** Where something was written: a file, relative to the working directory where possible, and a position counted from 1. */
export interface Loc {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export const showLoc = (l: Loc): string => `${l.file}:${l.line}:${l.column}`;

/** The place that `showLoc` wrote; undefined for any other text. */
export function parseLoc(text: string | undefined): Loc | undefined {
  const match = /^(.*):(\d+):(\d+)$/.exec(text ?? "");
  return match ? { file: match[1]!, line: Number(match[2]), column: Number(match[3]) } : undefined;
}

export interface Context {
  /** The op or node concerned, as printed: `linear %h3.qkv`. */
  readonly subject?: string | undefined;
  readonly loc?: Loc | undefined;
  /** What to do about it. */
  readonly hint?: string | undefined;
}

/** An error meant for a person: says where, what, why and what to do; never needs a stack trace to be understood. */
export class HeddleError extends Error {
  override readonly name: string = "HeddleError";
  readonly reason: string;
  readonly context: Context;
  constructor(reason: string, context: Context = {}) {
    const where = context.loc ? `${showLoc(context.loc)}: ` : "";
    const subject = context.subject ? `${context.subject}: ` : "";
    const hint = context.hint ? `\n  try: ${context.hint}` : "";
    super(`${where}${subject}${reason}${hint}`);
    this.reason = reason;
    this.context = context;
  }

  /** The same error with more context; what is already known wins. */
  with(more: Context): HeddleError {
    const known = Object.fromEntries(Object.entries(this.context).filter(([, v]) => v !== undefined));
    return new HeddleError(this.reason, { ...more, ...known });
  }
}

/** Turns whatever was thrown into a HeddleError that carries the context, and throws it. */
export function rethrow(cause: unknown, context: Context): never {
  if (cause instanceof HeddleError) throw cause.with(context);
  const error = new HeddleError(cause instanceof Error ? cause.message : String(cause), context);
  error.cause = cause;
  throw error;
}
