/** The report of a build, opened by whatever opens pages; here a program that writes down what it was given. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { runCommand } from "../support/cli.ts";
import { tempFolder } from "../support/temp.ts";

const folder = join(tempFolder(), "my build");
await runCommand("compile", ["graphs/gpt2-fa2-kv.ts", "--config", "tiny", "--out", folder]);
const report = join(folder, "report.html");
const { href } = pathToFileURL(report);

if (process.platform === "linux") {
  test("opens the page", async () => {
    const browser = join(tempFolder(), "browser");
    writeFileSync(browser, `#!/bin/sh\nprintf %s "$1" > "${browser}.asked"\n`);
    chmodSync(browser, 0o755);
    const { code, stdout, stderr } = await runCommand("explore", [folder], "", { BROWSER: browser });
    assert.equal([code, stdout, stderr], [0, `${href}\n`, ""]);
    assert.is(readFileSync(`${browser}.asked`, "utf8"), href);
  });

  test("without a browser it says where the page is", async () => {
    for (const BROWSER of [join(tempFolder(), "none"), "false"]) {
      const { code, stdout, stderr } = await runCommand("explore", [folder], "", { BROWSER });
      assert.equal(
        [code, stdout, stderr],
        [0, `${href}\n`, "there is no browser that could be opened from here: open this page in one\n"],
      );
    }
  });
}

test("--no-open and --json open nothing", async () => {
  const env = { BROWSER: "false" };
  const plain = await runCommand("explore", [folder, "--no-open"], "", env);
  assert.equal([plain.code, plain.stdout, plain.stderr], [0, `${href}\n`, ""]);
  const { stdout } = await runCommand("explore", [folder, "--json"], "", env);
  assert.equal(JSON.parse(stdout), { report, href });
});

test("a folder that is no build, and a build without a report", async () => {
  const empty = join(tempFolder(), "empty");
  mkdirSync(empty);
  const none = await runCommand("explore", [empty]);
  assert.is(none.code, 1);
  assert.match(none.stderr, "has no manifest.json: it is not a build");
  rmSync(report);
  assert.not(existsSync(report));
  const without = await runCommand("explore", [folder]);
  assert.is(without.stderr, `error: ${report}: is missing\n  try: compile it again: npm run compile <graph file>\n`);
});

test.run();
