/** A compile that is killed while Qualcomm's compiler works leaves the old build, and nothing else. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test as always } from "uvu";
import * as assert from "uvu/assert";
import { compileProgram } from "../../src/cli/support/compile-program.ts";
import { contextFile } from "../../src/htp/index.ts";
import { tempFolder } from "../support/temp.ts";
import { htp } from "./support.ts";

const test = htp ? always : always.skip;
process.env.HEDDLE_CACHE = join(tempFolder(), "cache");

const compile = (out: string, more: object = {}) =>
  compileProgram("graphs/gpt2-fa2-kv-fused.ts", {
    config: "tiny",
    target: "x-elite",
    precision: "f16",
    out,
    ...more,
  });

test("killed while it compiles: the old build stands, the compiler's processes end, the next compile works", async () => {
  const out = join(tempFolder(), "killed");
  await compile(out, { context: false });
  const before = readFileSync(join(out, "manifest.json"));
  const args = ["graphs/gpt2-fa2-kv-fused.ts", "--config", "tiny", "--target", "x-elite", "--precision", "f16"];
  const cli = spawn(process.execPath, ["--import", "tsx", "src/cli/compile.ts", ...args, "--no-cache", "--out", out]);
  const died = new Promise((resolve) => cli.once("close", resolve));
  const children = () => {
    const file = `/proc/${cli.pid}/task/${cli.pid}/children`;
    return existsSync(file) ? readFileSync(file, "utf8").trim().split(" ").filter(Boolean).map(Number) : [];
  };
  // Its own helpers (esbuild) are children too; the compiler's processes are those of the worker.
  const workers = () => children().filter((pid) => commandOf(pid).includes("worker.ts"));
  while (workers().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const running = workers();
  cli.kill("SIGKILL");
  await died;
  assert.equal(readFileSync(join(out, "manifest.json")), before);
  assert.not(existsSync(join(out, contextFile)));
  for (let tries = 0; running.some((pid) => commandOf(pid).includes("worker.ts")); tries++) {
    assert.ok(tries < 500, "the compiler's processes end when nobody waits for them");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { manifest } = await compile(out);
  assert.ok(manifest.context);
  assert.equal(
    readdirSync(join(out, "..")).filter((name) => name.startsWith("killed")),
    ["killed"],
    "what the killed process left is gone",
  );
});

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

always.run();
