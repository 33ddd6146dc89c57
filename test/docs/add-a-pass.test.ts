/** docs/add-a-pass.md is true: its code compiles and runs, and does what the page says. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Project, ts } from "ts-morph";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadProgram } from "../../src/frontend/index.ts";
import { type Pass, runPasses } from "../../src/passes/index.ts";
import { runCommand } from "../support/cli.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const page = readFileSync(join(root, "docs/add-a-pass.md"), "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm"))].map((m) => m[1]!);
/** Code by the path in its first line. */
const files = new Map(blocks("ts").map((code) => [/^\/\/ (\S+)\n/.exec(code)![1]!, code]));

test("the code of the page type-checks under the project's own settings", () => {
  const project = new Project({ tsConfigFilePath: join(root, "tsconfig.json"), skipAddingFilesFromTsConfig: true });
  const sources = [...files].map(([path, code]) => project.createSourceFile(join(root, path), code));
  const diagnostics = sources.flatMap((s) => s.getPreEmitDiagnostics());
  assert.is(project.formatDiagnosticsWithColorAndContext(diagnostics), "");
  assert.ok(ts.version, "checked by the TypeScript compiler");
});

/** The repository with the page's files in it: links to the real folders, so that every module is loaded once. */
function withPage<T>(change: (path: string, code: string) => string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "heddle-docs-"));
  const link = (path: string) => symlinkSync(join(root, path), join(folder, path), "junction");
  mkdirSync(join(folder, "src/passes"), { recursive: true });
  mkdirSync(join(folder, "graphs"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const path of ["node_modules", "src/ir", "src/targets"]) link(path);
  for (const file of readdirSync(join(root, "src/passes"))) link(`src/passes/${file}`);
  for (const [path, code] of files) writeFileSync(join(folder, path), change(path, code));
  return use(folder).finally(() => rmSync(folder, { recursive: true }));
}

test("the pass fires, is proved, and the dumps are those of the page", () =>
  withPage(
    (_, code) => code,
    async (folder) => {
      const program = await loadProgram(join(folder, "graphs/gated.ts"));
      const { text, records } = runPasses(program.build().module, program.passes, { dump: true, check: true });
      assert.equal(records[0]!.hits, [{ rule: "merge-gate", count: 1 }]);
      assert.ok(records[0]!.proof!.error.f64 < 1e-12);
      assert.equal(blocks("ir"), [text, records[0]!.text]);
    },
  ));

test("the command of the page works as it is written", () =>
  withPage(
    (_, code) => code,
    async (folder) => {
      const [, options] = /^npm run compile graphs\/gated\.ts -- (.*)$/m.exec(page)!;
      const { code, stdout, stderr } = await runCommand("compile", [
        join(folder, "graphs/gated.ts"),
        ...options!.split(" "),
      ]);
      assert.is(code, 0, stderr);
      assert.match(stdout, /\n-.*%gate = linear[\s\S]*\nmerge-gate +1 +5 → 6 .* T=\d+ /);
    },
  ));

test("the mistake that the page speaks of is found, in the words of the page", () =>
  withPage(
    (_, code) => code.replace("cut(size as number)", "cut((size as number) - 1)"),
    async (folder) => {
      const program = await loadProgram(join(folder, "graphs/gated.ts"));
      try {
        runPasses(program.build().module, program.passes, { check: true });
      } catch (e) {
        const said = (e as Error).message.replaceAll(/\S*graphs\/gated\.ts/g, "graphs/gated.ts");
        assert.is(`${said}\n`, blocks("error")[0]);
        return;
      }
      assert.unreachable("the mistake was not found");
    },
  ));

test("a projection with another user is a near miss with the reason of the page", async () => {
  const { graph, input, linear, mul, param, silu } = await import("../../src/ir/index.ts");
  await withPage(
    (_, code) => code,
    async (folder) => {
      const { mergeGate } = (await import(pathToFileURL(join(folder, "src/passes/merge-gate.ts")).href)) as {
        mergeGate: Pass;
      };
      const x = input("x", "f32", 3, 4);
      const project = (name: string) => linear(x, param({ name, dtype: "f32", shape: [5, 4] }));
      const up = project("up");
      const g = graph("shared", { inputs: [x], outputs: [mul(silu(project("gate")), up), up] });
      const [record] = runPasses({ graph: g, entries: [] }, [mergeGate]).records;
      assert.is(record!.misses[0]!.reason, "a projection has other users");
    },
  );
});

test("files that the page names exist", () => {
  for (const [, path] of page.matchAll(/`((?:src|test|graphs)\/[\w./-]+\.ts)`/g))
    assert.ok(readdirSync(join(root, dirname(path!))).includes(basename(path!)), path);
});

test.run();
