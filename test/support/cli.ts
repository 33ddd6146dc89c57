/** Commands as people run them: a child process, its exit code and what it wrote. */
import { spawn } from "node:child_process";

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * @param input what the command reads from stdin; nothing at all where it is left out.
 * @param variables of its environment, besides those of this process.
 */
export function runCommand(
  name: string,
  args: readonly string[],
  input: string | Uint8Array = "",
  variables: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: "1", HEDDLE_DEBUG: "", ...variables };
    const child = spawn(process.execPath, ["--import", "tsx", `src/cli/${name}.ts`, ...args], { env });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (d) => (stdout += d));
    child.stderr.on("data", (d) => (stderr += d));
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(input);
  });
}
