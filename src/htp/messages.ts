/** What a worker process says to its parent. */
import { type Context, HeddleError } from "../ir/error.ts";
import { QnnError, type QnnFailure } from "../runtime/qnn-error.ts";
import type { JobResult } from "./types.ts";

export type Work = "validating" | "compiling" | "saving";

export type Message =
  | { readonly kind: "work"; readonly work: Work; readonly graph: string | undefined }
  | { readonly kind: "done"; readonly result: JobResult }
  | { readonly kind: "failed"; readonly error: PlainError };

/** An error as data. */
export interface PlainError {
  readonly reason: string;
  readonly context: Context;
  /** Of a QnnError. */
  readonly failure?: QnnFailure;
}

export function toPlain(error: unknown): PlainError {
  if (error instanceof QnnError) return { reason: error.reason, context: error.context, failure: error.failure };
  if (error instanceof HeddleError) return { reason: error.reason, context: error.context };
  return { reason: error instanceof Error ? error.message : String(error), context: {} };
}

export const fromPlain = ({ reason, context, failure }: PlainError): HeddleError =>
  failure ? new QnnError(failure, context) : new HeddleError(reason, context);
