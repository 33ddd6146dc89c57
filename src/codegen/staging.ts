/** A folder that appears under its name whole or not at all: it is filled under a temporary name, then takes the old one's place. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { HeddleError } from "../ir/error.ts";
import { withCleanup } from "./cleanup.ts";
import { clearLeftovers } from "./leftovers.ts";

/** The file that tells a build folder from any other: only a build folder may be replaced. */
export const manifestFile = "manifest.json";

/** Web pages and browser extensions have a manifest.json too: ours says what it is. */
function isBuild(folder: string): boolean {
  try {
    const { format } = JSON.parse(readFileSync(join(folder, manifestFile), "utf8")) as { format?: unknown };
    return typeof format === "string" && /^heddle\.(build|parts)\//.test(format);
  } catch {
    return false;
  }
}

/**
 * @param fill writes into the temporary folder; whatever it throws leaves the old folder as it was.
 * @throws HeddleError where `folder` exists and holds something else than a build.
 */
export async function replaceFolder<T>(folder: string, fill: (temporary: string) => Promise<T>): Promise<T> {
  const target = resolve(folder);
  if (existsSync(target) && !statSync(target).isDirectory())
    throw new HeddleError("is a file; a build is a folder", { subject: folder, hint: "another name with --out" });
  mkdirSync(dirname(target), { recursive: true });
  clearLeftovers(target);
  if (existsSync(target) && readdirSync(target).length > 0 && !isBuild(target))
    throw new HeddleError("is not empty and not a build folder, so it is not replaced", {
      subject: folder,
      hint: "choose another folder with --out, or remove this one",
    });
  const temporary = `${target}.${process.pid}.tmp`;
  const old = `${target}.${process.pid}.old`;
  const cleanup = () => {
    // Stopped between the two renames: the old folder goes back.
    if (existsSync(old) && !existsSync(target)) renameSync(old, target);
    for (const folder of [temporary, old]) rmSync(folder, { recursive: true, force: true });
  };
  return withCleanup(cleanup, async () => {
    mkdirSync(temporary);
    const result = await fill(temporary);
    if (existsSync(target)) renameSync(target, old);
    renameSync(temporary, target);
    return result;
  });
}
