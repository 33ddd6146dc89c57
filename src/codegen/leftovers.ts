/** What a process that was killed could not clean up: `<name>.<process>.tmp`, and `.old` between the two renames of a folder. */
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Removes what dead processes left beside `path`, a file or folder that is about to be written. What `path` held before is put back
 * where a process died before the new one took its place.
 */
export function clearLeftovers(path: string): void {
  const prefix = `${basename(path)}.`;
  for (const name of readdirSync(dirname(path))) {
    const found = name.startsWith(prefix) ? /^(\d+)\.(tmp|old)$/.exec(name.slice(prefix.length)) : null;
    if (!found || isRunning(Number(found[1]))) continue;
    const left = join(dirname(path), name);
    if (found[2] === "old" && !existsSync(path)) renameSync(left, path);
    else rmSync(left, { recursive: true, force: true });
  }
}

/** Whether another process has the number. One that may not be signalled exists. */
export function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (e) {
    return (e as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
