/** Dependencies point one way. ts-morph reads the imports of every source file; a type-only import counts as one. */

import { Project } from "ts-morph";
import { test } from "uvu";
import * as assert from "uvu/assert";

const project = new Project({ skipAddingFilesFromTsConfig: true });
project.addSourceFilesAtPaths(["src/**/*.ts", "graphs/**/*.ts"]);
const root = process.cwd().replaceAll("\\", "/");
const relative = (path: string) => path.slice(root.length + 1);

/** What the files under a folder may import, besides packages and themselves. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  "src/ir/": [],
  "src/targets/": ["src/ir/"],
  "src/passes/": ["src/ir/", "src/targets/"],
  "src/frontend/": ["src/ir/", "src/passes/"],
  "graphs/": ["src/ir/", "src/passes/"],
  "src/weights/": ["src/ir/"],
};
/** What the files under a folder must not import, where the rest is free. */
const forbidden: Readonly<Record<string, readonly string[]>> = {
  "src/codegen/": ["src/passes/", "src/frontend/", "src/cli/", "graphs/"],
  "src/runtime/": ["src/passes/", "src/frontend/", "src/cli/", "graphs/"],
  "src/ir/ops/": ["src/codegen/", "src/runtime/"],
};

const imports = project.getSourceFiles().flatMap((file) => {
  const from = relative(file.getFilePath());
  const named = [...file.getImportDeclarations(), ...file.getExportDeclarations()].flatMap(
    (d) => d.getModuleSpecifierSourceFile()?.getFilePath() ?? [],
  );
  return named.map((to) => ({ from, to: relative(to) })).filter(({ to }) => !to.startsWith("node_modules/"));
});

test("there are imports to look at", () => {
  assert.ok(imports.length > 100);
  assert.ok(imports.some((i) => i.from.startsWith("graphs/") && i.to.startsWith("src/passes/")));
});

for (const [folder, others] of Object.entries(allowed))
  test(`${folder} imports only ${[...others, "itself"].join(", ")}`, () => {
    const wrong = imports.filter(
      ({ from, to }) => from.startsWith(folder) && ![folder, ...others].some((o) => to.startsWith(o)),
    );
    assert.equal(wrong, []);
  });

for (const [folder, others] of Object.entries(forbidden))
  test(`${folder} imports nothing from ${others.join(", ")}`, () => {
    assert.equal(
      imports.filter(({ from, to }) => from.startsWith(folder) && others.some((o) => to.startsWith(o))),
      [],
    );
  });

test.run();
