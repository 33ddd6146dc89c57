import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders: string[] = [];
process.on("exit", () => {
  for (const f of folders) rmSync(f, { recursive: true, force: true });
});

/** A fresh folder that goes away with the test process. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "heddle-test-"));
  folders.push(folder);
  return folder;
}
