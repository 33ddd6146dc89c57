// `npm run setup:qualcomm [-- --accept]`: fetches Qualcomm's QNN libraries for x86-64 Linux into .qualcomm/, which git ignores.
// They come from the public Python package onnxruntime-qnn, by pip; nothing of Python is needed afterwards.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { acceptTerms, fetchWheel, runSetup, SetupError } from "./support/pip-wheels.mjs";

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

function checkMachine() {
  if (process.platform === "linux" && process.arch === "x64") return;
  throw new SetupError(
    `these libraries are built for x86-64 Linux; this is ${process.platform} on ${process.arch}. ` +
      "Install the Qualcomm AI Runtime SDK instead and set QNN_SDK_ROOT to its folder.",
  );
}

function installed({ backend, library, sha256 }) {
  const folder = join(target, backend);
  const stamp = join(folder, "wheel.sha256");
  return (
    existsSync(join(folder, "onnxruntime_qnn", library)) && existsSync(stamp) && readFileSync(stamp, "utf8") === sha256
  );
}

async function install(item) {
  const work = join(target, `${item.backend}.incomplete`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    const wanted = { project: "onnxruntime-qnn", ...item };
    await fetchWheel(wanted, work, ["--platform", "manylinux_2_35_x86_64"]);
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

/** What is here, by the code that the programs themselves use. */
function showStatus() {
  const report = join(root, "src", "cli", "libraries.ts");
  const { status } = spawnSync(process.execPath, ["--import", "tsx", report], { cwd: root, stdio: "inherit" });
  process.exitCode = status ?? 1;
}

const usage = `Usage: npm run setup:qualcomm -- [--accept | --status]

Fetches Qualcomm's QNN libraries for x86-64 Linux into .qualcomm/ (about 200 MB, by pip), after showing their terms.

Options:
  --accept    accept the terms without being asked
  --status    show which libraries are here, where from and of which version; fetch nothing (as npm run libraries)
  -h, --help  show this`;

await runSetup(usage, async () => {
  if (process.argv.includes("--status")) return showStatus();
  checkMachine();
  const wanted = packages.filter((item) => !installed(item));
  if (wanted.length > 0) await acceptTerms(terms, "Do you accept the licence?", "npm run setup:qualcomm");
  for (const item of packages) {
    const name = `onnxruntime-qnn ${item.version} (${item.what})`;
    if (wanted.includes(item)) {
      console.log(`fetching ${name}, about 100 MB ...`);
      await install(item);
    }
    console.log(`${item.backend}: ${name} in ${join(".qualcomm", item.backend)}`);
  }
});
