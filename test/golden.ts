/** Golden files: text that the compiler wrote once and must write again. A difference is shown as a unified diff. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { createTwoFilesPatch } from "diff";

const folder = fileURLToPath(new URL("golden/", import.meta.url));
const updating = process.env.UPDATE_GOLDEN === "1";
const howTo = "if this change is meant: npm run golden:update, and read the diff in git";

/** Compares text with `test/golden/<path>`, or writes it under UPDATE_GOLDEN=1. @throws Error with a unified diff. */
export function golden(path: string, actual: string): void {
  const file = folder + path;
  if (updating) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, actual);
    return;
  }
  if (!existsSync(file)) throw new Error(`there is no golden test/golden/${path}: npm run golden:update writes it`);
  const expected = readFileSync(file, "utf8").replaceAll("\r\n", "\n");
  if (expected === actual) return;
  const patch = createTwoFilesPatch(`test/golden/${path}`, "now", expected, actual, "", "", { context: 3 });
  throw new Error(`test/golden/${path} differs; ${howTo}\n${patch.split("\n").slice(1).join("\n")}`);
}

/** Compares all files of a kind in a folder of goldens: one that is missing or left over is a difference too. */
export function goldenFolder(path: string, extension: string, files: Readonly<Record<string, string>>): void {
  const at = `${folder}${path}`;
  const present = existsSync(at) ? readdirSync(at).filter((f) => f.endsWith(extension)) : [];
  const left = present.filter((f) => !(f in files));
  if (updating) for (const f of left) rmSync(`${at}/${f}`);
  else if (left.length)
    throw new Error(`${left.map((f) => relative(".", `${at}/${f}`)).join(", ")}: nothing writes it any more; ${howTo}`);
  for (const [file, text] of Object.entries(files)) golden(`${path}/${file}`, text);
}
