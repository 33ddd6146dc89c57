/** The page that tells how to add an op, followed to the letter in a copy of the sources. */
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { codeBlocks } from "../support/code-blocks.ts";
import { tempFolder } from "../support/temp.ts";

const root = resolve(import.meta.dirname, "../..");
const copy = tempFolder();
const blocks = codeBlocks(readFileSync(join(root, "docs/add-an-op.md"), "utf8"));
const block = (title: string): string => {
  const found = blocks.get(title);
  if (found === undefined) throw new Error(`docs/add-an-op.md has no block "// ${title}"`);
  return found;
};

function run(script: string, ...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: copy, encoding: "utf8" });
  return { status, output: stdout + stderr };
}
const types = () => run(join(root, "node_modules/typescript/bin/tsc"), "-p", ".", "--pretty", "false");
const tsx = (file: string) => run(join(root, "node_modules/tsx/dist/cli.mjs"), file);

const read = (file: string): string => readFileSync(join(copy, file), "utf8");
const write = (file: string, text: string): void => writeFileSync(join(copy, file), text);
const edit = (file: string, change: (text: string) => string): void => write(file, change(read(file)));

test("the page works as it is written", () => {
  for (const part of ["src", "test/ir", "test/support", "package.json", "tsconfig.json"])
    cpSync(join(root, part), join(copy, part), {
      recursive: true,
      filter: (path) => !/(^|[/\\])(build|addon|reference|node_modules)$/.test(path) || path.endsWith(".ts"),
    });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "junction");
  edit("tsconfig.json", (text) =>
    text.replace(/"include": \[.*?\]/, '"include": ["src/ir", "src/codegen", "test/ir", "*.ts"]'),
  );

  for (const file of ["src/ir/ops/softcap.ts", "src/ir/ops/log.ts"]) write(file, block(file));
  edit("src/ir/ops/index.ts", (text) => text + block("src/ir/ops/index.ts"));

  const missing = types();
  assert.is.not(missing.status, 0, "support tables must not compile without the new ops");
  assert.match(missing.output, "missing the following properties");
  // Those that begin with another table have its lines already.
  const own = (file: string) => /^\} satisfies SupportTable/m.test(read(file)) && !/^ {2}\.\.\.\w+,$/m.test(read(file));
  const tables = [...new Set([...missing.output.matchAll(/^(src\S+?)\(.*: log, softcap$/gm)].map((m) => m[1]!))].filter(
    own,
  );
  assert.ok(tables.includes("src/codegen/qnn/qti.ts"), missing.output);
  for (const table of tables)
    edit(table, (text) =>
      text.replace(/^\} satisfies SupportTable/m, `${block("a support table: src/codegen/qnn/qti.ts")}$&`),
    );

  const example = "test/ir/examples/composites.ts";
  edit(example, (text) => text.replace(/^\};\s*$(?![\s\S]*^\};)/m, `${block(`an example: ${example}`)}};\n`));
  write("try.ts", block("try it"));
  const complete = types();
  assert.is(complete.status, 0, complete.output);

  const examples = tsx("test/ir/ops.test.ts");
  assert.is(examples.status, 0, examples.output);

  writeFileSync(
    join(copy, "show.ts"),
    'import { dropCap, text } from "./try.ts";\nconsole.log(dropCap.name);\nconsole.log(text);\n',
  );
  const shown = tsx("show.ts");
  assert.is(
    shown.output.trim(),
    `drop-cap
graph @capped(%logits: f32[4x256]) {
  %softcap = softcap(%logits) {cap=30} : f32[4x256]
  return %softcap
}`,
  );
});

test.run();
