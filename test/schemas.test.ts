/** The schemas that JSON files are held against are JSON schemas themselves, without words that mean nothing there. */
import { readdirSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { compileSchema } from "../src/ir/schema.ts";

const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((f) => f.endsWith(".schema.json"));
const read = (file: string): { readonly $id?: string } => JSON.parse(readFileSync(`src/${file}`, "utf8"));

test("there are schemas to look at", () => assert.ok(files.length >= 5, files.join(", ")));

for (const file of files)
  test(file, () => {
    const others = files.filter((f) => f !== file).map(read);
    assert.not.throws(() =>
      compileSchema(
        read(file),
        others.filter((s) => s.$id),
      ),
    );
  });

test("one with a keyword that there is none of is refused", () => {
  assert.throws(() => compileSchema({ type: "object", requires: [] }, []), /unknown keyword/);
  assert.throws(() => compileSchema({ type: "objekt" }, []), /schema is invalid/);
});

test.run();
