/** `npm run htp-cost`: figures of the vendor on stdout, and what is wrong in words. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { tempFolder } from "../support/temp.ts";
import { chain, htp } from "./support.ts";

const it = htp ? test : test.skip;
const folder = tempFolder();
const fileOf = (name: string, ops: readonly string[]): string => chain(join(folder, name), ops).graphs[0]!.file;

function cost(...args: readonly string[]) {
  const env = { ...process.env, NO_COLOR: "1", HEDDLE_DEBUG: "" };
  const command = ["--import", "tsx", "bench/htp-cost.ts", ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { env, encoding: "utf8" });
  return { code: status, stdout, stderr };
}

it("a graph is costed, one line of JSON for each", () => {
  const file = fileOf("good", ["Tanh"]);
  const { code, stdout, stderr } = cost(file, file, "--optimization", "2");
  assert.is(code, 0, stderr);
  const [first, second, ...rest] = stdout.trim().split("\n");
  assert.equal(rest, []);
  for (const line of [first, second]) {
    const { graph, us, read } = JSON.parse(line!);
    assert.is(graph, "chain");
    assert.ok(us > 0 && read >= 128, line);
  }
});

it("a refused node is named with its line, types and the vendor's log, without a stack", () => {
  const { code, stdout, stderr } = cost(fileOf("refused", ["Tanh", "Erf"]));
  assert.is(code, 1);
  assert.is(stdout, "");
  assert.match(
    stderr,
    /^error: graphs\/models\/some\.ts:2:7: Erf node 'h1\.erf' of graph 'chain': Qualcomm's validator refuses Erf\(FLOAT_16\[1,64\]\)/,
  );
  assert.match(stderr, /\n {2}try: write the op in terms that HTP has/);
  assert.not.match(stderr, /\n\s+at /);
});

test("what is not a graph is refused, with what would be one", () => {
  const file = join(folder, "manifest.json");
  writeFileSync(file, '{"format": "other"}');
  for (const [given, words] of [
    [file, /manifest\.json: is not a QNN graph/],
    [join(folder, "nowhere.json"), /nowhere\.json: is missing/],
  ] as const) {
    const { code, stderr } = cost(given);
    assert.is(code, 1);
    assert.match(stderr, words);
    assert.match(stderr, /\n {2}try: /);
    assert.not.match(stderr, /\n\s+at /);
  }
  assert.is(cost().code, 2);
});

test.run();
