/** Runs a job of the vendor's compiler in a process of its own. */
import { fork } from "node:child_process";
import { freemem } from "node:os";
import { fileURLToPath } from "node:url";
import { HeddleError } from "../ir/error.ts";
import { memoryNeed } from "./memory.ts";
import { fromPlain, type Message, type Work } from "./messages.ts";
import type { Job, JobResult } from "./types.ts";

export interface RunOptions {
  readonly onWork?: (work: Work, graph: string | undefined) => void;
  /** Ends the process; the job then fails. */
  readonly signal?: AbortSignal;
}

/** How much of what a process wrote to its standard error is kept for the message about its end. */
const keptText = 2000;

/**
 * @throws HeddleError or QnnError of the compiler, or one that says how its process ended. What the process had begun to write is
 *   left to the caller.
 */
export function runJob(job: Job, { onWork, signal }: RunOptions = {}): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const child = fork(fileURLToPath(new URL("./worker.ts", import.meta.url)), [], {
      execArgv: ["--import", import.meta.resolve("tsx")],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    signal?.addEventListener("abort", kill);
    let stderr = "";
    let outcome: JobResult | Error | undefined;
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-keptText);
    });
    child.on("message", (message: Message) => {
      if (message.kind === "work") onWork?.(message.work, message.graph);
      else outcome = message.kind === "done" ? message.result : fromPlain(message.error);
    });
    child.on("error", (error) => {
      reject(new HeddleError(`the process of Qualcomm's compiler cannot be started: ${error.message}`));
    });
    child.on("close", (code, stopped) => {
      process.off("exit", kill);
      signal?.removeEventListener("abort", kill);
      if (outcome && !(outcome instanceof Error)) resolve(outcome);
      else reject(outcome ?? (signal?.aborted ? signal.reason : ended(job, code, stopped, stderr)));
    });
    child.send(job);
  });
}

function ended(job: Job, code: number | null, signal: NodeJS.Signals | null, stderr: string): HeddleError {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  const words = stderr.trim();
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  const killed = `the system may be short of memory: this takes about ${gigabytes(memoryNeed(job))}, and ${gigabytes(freemem())} are free; --contexts 256 compiles for one size`;
  const crashed = "this is a crash inside the library; another version of it may behave (npm run setup:qualcomm)";
  return new HeddleError(
    `the process of Qualcomm's compiler ended ${how}${words === "" ? "" : `\n  it wrote: ${words.replaceAll("\n", "\n    ")}`}`,
    { hint: signal === "SIGKILL" ? killed : crashed },
  );
}
