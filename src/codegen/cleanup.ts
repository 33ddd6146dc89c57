/** Temporary files that go away however the work ends: done, thrown, exited, or stopped with Ctrl-C. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs `work`, then `cleanup`. A signal cleans up as soon as the event loop turns, and then ends the process as it would have:
 * a shell sees that it was interrupted (exit code 130 for Ctrl-C).
 */
export async function withCleanup<T>(cleanup: () => void, work: () => Promise<T>): Promise<T> {
  const release = () => {
    for (const s of signals) process.off(s, stop);
    process.off("exit", cleanup);
  };
  const stop = (signal: NodeJS.Signals) => {
    release();
    cleanup();
    process.kill(process.pid, signal);
  };
  for (const s of signals) process.on(s, stop);
  process.on("exit", cleanup);
  try {
    return await work();
  } finally {
    release();
    cleanup();
  }
}

/**
 * Runs `work` with a folder of its own among the system's temporary files, which is called `heddle-<name>-...`. What removes
 * it is in place before it is made: a signal between the two would leave it behind.
 */
export function withTemporaryFolder<T>(name: string, work: (folder: string) => Promise<T>): Promise<T> {
  let folder: string | undefined;
  return withCleanup(
    () => folder && rmSync(folder, { recursive: true, force: true }),
    () => {
      folder = mkdtempSync(join(tmpdir(), `heddle-${name}-`));
      return work(folder);
    },
  );
}
