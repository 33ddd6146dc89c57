/** What all commands do alike with options, pipes, signals and the errors of the system. */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Option } from "commander";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { command } from "../../src/cli/support/command.ts";
import { optionsTakenByNpm, quoted } from "../../src/cli/support/npm.ts";
import { systemError } from "../../src/cli/support/system-error.ts";
import { runCommand } from "../support/cli.ts";
import { tempFolder } from "../support/temp.ts";

const program = "graphs/gpt2-fa2-kv.ts";
const definition = command("bake <graph> -- [options]", "A command.", ["bake x"])
  .option("--check", "a flag")
  .option("--top-k <n>", "a value")
  .addOption(new Option("--target <name>", "a choice").choices(["reference"]));

test("options that npm kept are found, as people would write them", () => {
  const taken = (env: Record<string, string>) =>
    optionsTakenByNpm("bake", definition, { npm_lifecycle_event: "bake", ...env });
  assert.equal(taken({}), []);
  assert.equal(taken({ npm_config_check: "true", npm_config_top_k: "40" }), ["--check", "--top-k 40"]);
  assert.equal(taken({ npm_config_target: "true" }), ["--target <name>"]);
  assert.equal(taken({ npm_config_target: "28.1.0" }), [], "a setting in someone's .npmrc");
  assert.equal(taken({ npm_config_check: "true", npm_lifecycle_event: "test" }), [], "another script called this one");
});

test("an option without -- before it is refused, not dropped", async () => {
  const env = { npm_lifecycle_event: "compile", npm_config_check: "true", npm_config_config: "true" };
  const { code, stdout, stderr } = await runCommand("compile", [program, "tiny"], "", env);
  assert.is(code, 2);
  assert.is(stdout, "");
  assert.is(
    stderr,
    `error: npm kept --config, --check for itself: options go after --
  try: npm run compile ${program} -- --config <name> --check
(all options: npm run compile -- --help)
`,
  );
});

test("of a command without operands, what stands alone is the value of an option", async () => {
  const env = { npm_lifecycle_event: "libraries", npm_config_json: "true" };
  const { code, stderr } = await runCommand("libraries", ["x"], "", env);
  assert.is(code, 2);
  assert.match(stderr, "\n  try: npm run libraries -- --json\n");
});

test("a setup command says what it takes, and fetches nothing for a misspelt option", () => {
  for (const name of ["setup-gemma", "setup-llama", "setup-qualcomm"]) {
    const setup = (option: string) =>
      spawnSync(process.execPath, [`scripts/${name}.mjs`, option], { encoding: "utf8" });
    assert.match(setup("--help").stdout, /^Usage: npm run setup:/);
    const { status, stderr } = setup("--acept");
    assert.is(status, 2);
    assert.match(stderr, /^error: unknown option '--acept'\nUsage: npm run setup:/);
  }
});

test("help shows how npm wants it, choices, defaults and examples", async () => {
  for (const name of ["compile", "generate", "verify", "export"]) {
    const { code, stdout, stderr } = await runCommand(name, ["--help"]);
    assert.is(code, 0);
    assert.is(stderr, "");
    assert.match(stdout, new RegExp(`^Usage: npm run ${name} (<graph> -- \\[options\\]|-- <build> \\[options\\])\n`));
    assert.match(stdout, `\nExamples:\n  npm run ${name} `);
    assert.ok(
      stdout.split("\n").every((line) => line.length <= 90),
      stdout,
    );
  }
  const { stdout } = await runCommand("compile", ["--help"]);
  assert.match(
    stdout,
    /--target <name> +machine to compile for: reference, x-elite, phoenix,\s+strix\s+\(default: reference\)/,
  );
});

test("with --json a wrong command line is a document and nothing else", async () => {
  const { code, stdout, stderr } = await runCommand("compile", [program, "--seed", "x", "--json"]);
  assert.is(code, 2);
  assert.is(stderr, "");
  assert.match(JSON.parse(stdout).error.message, /^option '--seed <n>' argument 'x' is invalid/);
});

test("a name that is nearly right is recognised", async () => {
  const { stderr } = await runCommand("compile", ["gpt2-fa2-vk"]);
  assert.is(stderr, `error: gpt2-fa2-vk: there is no such file\n  try: ${join("graphs", "gpt2-fa2-kv.ts")}\n`);
});

test("errors of the system are said in words", () => {
  const error = (code: string, path?: string) => Object.assign(new Error(`${code}: raw`), { code, path });
  assert.equal(systemError(error("ENOSPC")), {
    reason: "the disk is full",
    hint: "free some space, or write elsewhere with --out",
  });
  assert.is(systemError(error("EROFS", "/x"))?.subject, "/x");
  assert.is(systemError(new Error("no system error")), undefined);
});

test("a path with spaces is quoted where it is shown as a command", async () => {
  assert.is(quoted("build/gpt2-fa2-kv"), "build/gpt2-fa2-kv");
  assert.is(quoted('a "b" $c'), '"a \\"b\\" \\$c"');
  const out = join(tempFolder(), "my build");
  const { stdout } = await runCommand("compile", [program, "--config", "tiny", "--out", out]);
  assert.match(stdout, `next: npm run generate -- "${out}" --prompt`);
});

if (process.platform !== "win32") {
  /** Starts a command, stops it as soon as `has` finds that it writes, and returns what ended it. */
  async function interrupted(args: readonly string[], has: () => boolean, env = {}): Promise<NodeJS.Signals | null> {
    const child = spawn(process.execPath, ["--import", "tsx", ...args], {
      stdio: "ignore",
      env: { ...process.env, ...env },
    });
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on("close", (_, signal) => resolve(signal)));
    const waiting = setInterval(() => {
      if (!has()) return;
      clearInterval(waiting);
      child.kill("SIGINT");
    }, 5);
    const signal = await ended;
    clearInterval(waiting);
    return signal;
  }

  test("Ctrl-C while files are written leaves nothing behind", async () => {
    const parent = tempFolder();
    mkdirSync(join(parent, "empty"));
    const compile = ["src/cli/compile.ts", program, "--config", "124m", "--out", join(parent, "out")];
    assert.is(await interrupted(compile, () => readdirSync(parent).length > 1), "SIGINT");
    assert.equal(readdirSync(parent), ["empty"]);
    const onnx = ["src/cli/export.ts", program, "--config", "124m", "--out", join(parent, "model.onnx")];
    assert.is(await interrupted(onnx, () => readdirSync(parent).length > 1), "SIGINT");
    assert.equal(readdirSync(parent), ["empty"]);
  });

  test("Ctrl-C while a model is calibrated leaves nothing among the temporary files", async () => {
    const TMPDIR = tempFolder();
    const weights = ["--weights", "test/fixtures/gpt2-bible", "--precision", "w8a16"];
    const compile = ["src/cli/compile.ts", program, ...weights, "--out", join(tempFolder(), "out")];
    const runs = () => readdirSync(TMPDIR).filter((name) => name.startsWith("heddle-run-"));
    assert.is(await interrupted(compile, () => runs().length > 0, { TMPDIR }), "SIGINT");
    assert.equal(runs(), []);
  });
}

test("a reader that leaves ends a command quietly", async () => {
  const args = ["--import", "tsx", "src/cli/compile.ts", program, "--config", "tiny", "--dump"];
  const child = spawn(process.execPath, [...args, "--out", join(tempFolder(), "out")]);
  let stderr = "";
  child.stderr.on("data", (d) => (stderr += d));
  child.stdout.destroy();
  const code = await new Promise((resolve) => child.on("close", resolve));
  assert.is(code, 0);
  assert.is(stderr, "");
});

test.run();
