// `npm run setup:llama`: installs node-llama-cpp, the peer of benchmarks and tests, into .llama/, which git ignores. As a
// dependency it would bring 650 MB of CUDA and Vulkan libraries into every clone; here it is 85 MB, for this machine's CPU.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runSetup, SetupError } from "./support/pip-wheels.mjs";

const version = "3.22.1";
const target = join(dirname(dirname(fileURLToPath(import.meta.url))), ".llama");

/** The prebuilt CPU library of each machine. */
const binaries = {
  "linux x64": "linux-x64",
  "linux arm64": "linux-arm64",
  "darwin arm64": "mac-arm64-metal",
  "darwin x64": "mac-x64",
  "win32 x64": "win-x64",
  "win32 arm64": "win-arm64",
};

const stamp = join(target, "version");
const isInstalled = () => existsSync(stamp) && readFileSync(stamp, "utf8") === version;

/** All of it is there before the folder appears under its name. */
function install() {
  const binary = binaries[`${process.platform} ${process.arch}`];
  if (!binary)
    throw new SetupError(`node-llama-cpp has no prebuilt library for ${process.platform} on ${process.arch}`);
  const staging = `${target}.${process.pid}.tmp`;
  mkdirSync(staging);
  try {
    writeFileSync(join(staging, "package.json"), '{ "private": true }\n');
    const packages = [`node-llama-cpp@${version}`, `@node-llama-cpp/${binary}@${version}`];
    // Without optional packages, because each of them is the library of another machine.
    execFileSync("npm", ["install", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", ...packages], {
      cwd: staging,
      stdio: ["ignore", "ignore", "pipe"],
      shell: process.platform === "win32",
    });
    writeFileSync(join(staging, "version"), version);
    rmSync(target, { recursive: true, force: true });
    renameSync(staging, target);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    throw new SetupError(
      `npm could not install node-llama-cpp ${version}:\n${String(error.stderr ?? error.message).trim()}`,
    );
  }
}

const usage = `Usage: npm run setup:llama

Installs llama.cpp for Node (node-llama-cpp ${version}, 85 MB) into .llama/, as a peer of benchmarks and tests. Heddle does not need it.

Options:
  -h, --help  show this`;

await runSetup(usage, () => {
  if (!isInstalled()) install();
  console.log(`node-llama-cpp ${version} is installed in .llama`);
});
