/**
 * Runs the tests: every `test/**\/*.test.ts` in a process of its own, so that a crash of native code names its file, a few
 * at a time. `npm test` runs all, `npm test -- session parser` those whose path contains one of the words, `--fast` leaves
 * out test/slow, `--update-goldens` writes test/golden anew instead of comparing. Ends with "N passed, N failed"; exit code
 * 1 where anything failed or where nothing ran.
 */
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";

const args = process.argv.slice(2);
const words = args.filter((a) => !a.startsWith("--"));
const fast = args.includes("--fast");
const unknown = args.find((a) => a.startsWith("--") && !["--fast", "--update-goldens"].includes(a));
if (unknown) {
  console.error(
    `error: unknown option '${unknown}'\nUsage: npm test -- [words of test paths] [--fast] [--update-goldens]`,
  );
  process.exit(2);
}
const env = {
  ...process.env,
  FORCE_COLOR: "0",
  ...(args.includes("--update-goldens") && { UPDATE_GOLDEN: "1" }),
};

const files = readdirSync("test", { recursive: true, encoding: "utf8" })
  .filter((f) => f.endsWith(".test.ts"))
  .map((f) => `test/${f.replaceAll("\\", "/")}`)
  .filter((f) => (words.length === 0 || words.some((w) => f.includes(w))) && !(fast && f.startsWith("test/slow/")))
  .sort((a, b) => Number(b.includes("/slow/")) - Number(a.includes("/slow/")) || a.localeCompare(b));

interface Outcome {
  readonly passed: number;
  readonly failed: number;
}

function run(file: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--import", "tsx", file], { env });
    const start = performance.now();
    let text = "";
    child.stdout.on("data", (d) => (text += d));
    child.stderr.on("data", (d) => (text += d));
    child.on("close", (code, signal) => {
      const total = Number(/Total:\s+(\d+)/.exec(text)?.[1] ?? 0);
      const passed = Number(/Passed:\s+(\d+)/.exec(text)?.[1] ?? 0);
      const skipped = Number(/Skipped:\s+(\d+)/.exec(text)?.[1] ?? 0);
      // A file that dies, or that registers no test, has failed even though no assertion did. The total leaves out skipped ones.
      const failed = Math.max(total - passed, code !== 0 || total + skipped === 0 ? 1 : 0);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(
        `${failed ? "FAIL" : "ok  "} ${file}  ${passed}/${total}${skipped ? ` (${skipped} skipped)` : ""}  ${seconds} s`,
      );
      if (failed) console.log(`${text}\n${signal ? `ended by ${signal}` : `exit code ${code}`}`);
      resolve({ passed, failed });
    });
  });
}

const outcomes: Outcome[] = [];
const queue = [...files];
const lanes = Math.min(4, Math.max(2, availableParallelism()));
await Promise.all(
  Array.from({ length: lanes }, async () => {
    for (let file = queue.shift(); file; file = queue.shift()) outcomes.push(await run(file));
  }),
);
const sum = (key: keyof Outcome) => outcomes.reduce((n, o) => n + o[key], 0);
console.log(`\n${sum("passed")} passed, ${sum("failed")} failed`);
process.exitCode = sum("failed") > 0 || sum("passed") === 0 ? 1 : 0;
