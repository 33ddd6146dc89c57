// `npm run setup:qualcomm [-- --accept]`: fetches Qualcomm's QNN libraries for x86-64 Linux into .qualcomm/, which git ignores.
// They come from the public Python package onnxruntime-qnn, by pip; nothing of Python is needed afterwards.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, ".qualcomm");

/** What is fetched: one folder per backend name of src/runtime/libraries.ts. */
const packages = [
  {
    backend: "qnn-cpu",
    version: "2.3.0",
    library: "libQnnCpu.so",
    what: "CPU backend, QNN 2.36",
    sha256: "087bb672ca0cabd3c7fed07084478fe78658cfa09fae1cb013099d7b2289dc72",
  },
  {
    backend: "htp",
    version: "2.7.0",
    library: "libQnnHtp.so",
    what: "Hexagon NPU compiler and simulator, QNN 2.40",
    sha256: "c56c01562b8534fe8980cfea4601408d950c065f8251fb862ce82101c52c9849",
  },
];

const terms = `Qualcomm's libraries are proprietary. In short (the licence itself decides, not this summary):
  - you may use and copy them to develop and run applications, and for benchmarks;
  - you may not pass them on by themselves, nor reverse engineer them.
The full text is in each package, Qualcomm_LICENSE.pdf; after this command it lies at
  ${packages.map((p) => join(".qualcomm", p.backend, "onnxruntime_qnn", "Qualcomm_LICENSE.pdf")).join("\n  ")}
To read it first: python3 -m pip download --no-deps onnxruntime-qnn==${packages[1].version}, then unzip the wheel.`;

class SetupError extends Error {}

const python = process.env.HEDDLE_PYTHON ?? "python3";

function runPython(...args) {
  try {
    return execFileSync(python, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    if (error.code === "ENOENT") {
      throw new SetupError(`'${python}' is not installed (Debian: apt-get install python3 python3-pip)`);
    }
    throw new SetupError(`${python} ${args.slice(0, 3).join(" ")} failed:\n${String(error.stderr ?? error).trim()}`);
  }
}

function checkMachine() {
  if (process.platform === "linux" && process.arch === "x64") return;
  throw new SetupError(
    `these libraries are built for x86-64 Linux; this is ${process.platform} on ${process.arch}. ` +
      "Install the Qualcomm AI Runtime SDK instead and set QNN_SDK_ROOT to its folder.",
  );
}

async function acceptTerms() {
  console.log(terms);
  if (process.argv.includes("--accept")) return;
  if (!process.stdin.isTTY) throw new SetupError("to accept these terms: npm run setup:qualcomm -- --accept");
  const ask = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await ask.question("Do you accept the licence? [y/N] ");
  ask.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new SetupError("nothing was fetched");
}

function installed({ backend, library, sha256 }) {
  const folder = join(target, backend);
  const stamp = join(folder, "wheel.sha256");
  return (
    existsSync(join(folder, "onnxruntime_qnn", library)) && existsSync(stamp) && readFileSync(stamp, "utf8") === sha256
  );
}

/** Downloads and checks a wheel; returns its path. */
function download({ version, sha256 }, folder) {
  runPython(
    ...["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"],
    ...["--implementation", "cp", "--python-version", "3.11", "--platform", "manylinux_2_35_x86_64"],
    ...["--dest", folder, `onnxruntime-qnn==${version}`],
  );
  const wheel = readdirSync(folder).find((name) => name.endsWith(".whl"));
  if (!wheel) throw new SetupError("pip reported success but left no wheel");
  const file = join(folder, wheel);
  const actual = createHash("sha256").update(readFileSync(file)).digest("hex");
  if (actual !== sha256) {
    throw new SetupError(
      `${wheel} is not the file this script was written for:\n  expected ${sha256}\n  got      ${actual}`,
    );
  }
  return file;
}

function install(item) {
  const work = join(target, `${item.backend}.incomplete`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    const wheel = download(item, work);
    runPython("-m", "zipfile", "-e", wheel, work);
    rmSync(wheel);
    if (!existsSync(join(work, "onnxruntime_qnn", item.library))) {
      throw new SetupError(`the package holds no ${item.library}`);
    }
    writeFileSync(join(work, "wheel.sha256"), item.sha256);
    rmSync(join(target, item.backend), { recursive: true, force: true });
    renameSync(work, join(target, item.backend));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (process.argv.includes("--help") || process.argv.includes("-h")) {
  console.log(`Usage: npm run setup:qualcomm -- [--accept]

Fetches Qualcomm's QNN libraries for x86-64 Linux into .qualcomm/ (about 200 MB, by pip), after showing their terms.

Options:
  --accept    accept the terms without being asked
  -h, --help  show this`);
  process.exit(0);
}

try {
  checkMachine();
  const wanted = packages.filter((item) => !installed(item));
  if (wanted.length > 0) await acceptTerms();
  for (const item of packages) {
    const name = `onnxruntime-qnn ${item.version} (${item.what})`;
    if (wanted.includes(item)) {
      console.log(`fetching ${name}, about 100 MB ...`);
      install(item);
    }
    console.log(`${item.backend}: ${name} in ${join(".qualcomm", item.backend)}`);
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
