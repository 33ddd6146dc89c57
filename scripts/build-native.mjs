// `npm run build:native`: builds the addon and the reference backend into src/runtime/build/Release with node-gyp.
// make skips what is up to date, so a second run takes a second.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const runtime = join(root, "src", "runtime");
const build = join(runtime, "build");
const logFile = join(build, "build.log");
const windows = process.platform === "win32";

/** Ends the build with a message and no stack. */
function fail(message) {
  console.error(message);
  process.exit(1);
}

function runs(command, ...args) {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** What the build needs and this machine lacks, with the command that installs it. */
function missingTools() {
  const missing = [];
  const python = process.env.PYTHON ?? process.env.npm_config_python;
  const pythons = python ? [python] : windows ? ["py", "python"] : ["python3", "python"];
  if (!pythons.some((name) => runs(name, "--version"))) missing.push("Python 3 (Debian: apt-get install python3)");
  if (windows) return missing;
  const compiler = process.env.CXX?.split(" ")[0] ?? (process.platform === "darwin" ? "c++" : "g++");
  if (!runs(compiler, "--version")) {
    missing.push(`a C++20 compiler, '${compiler}' (Debian: apt-get install g++; macOS: xcode-select --install)`);
  }
  if (!runs("make", "--version")) missing.push("make (Debian: apt-get install make; macOS: xcode-select --install)");
  return missing;
}

function findNodeGyp() {
  try {
    return createRequire(import.meta.url).resolve("node-gyp/bin/node-gyp.js");
  } catch {
    fail("node-gyp is not installed; run `npm install` first");
  }
}

/** Node's headers lie beside most installations of it; using them saves node-gyp a download. */
function headerArguments() {
  const prefix = windows ? dirname(process.execPath) : dirname(dirname(process.execPath));
  return existsSync(join(prefix, "include", "node", "node.h")) ? [`--nodedir=${prefix}`] : [];
}

/** The generated makefiles are stale when the build files, Node or the options changed. */
function needsConfigure(options) {
  const stamp = join(build, "configured");
  const makefile = join(build, "Makefile");
  if (windows || !existsSync(makefile) || !existsSync(stamp) || readFileSync(stamp, "utf8") !== options) return true;
  const built = statSync(stamp).mtimeMs;
  return [join(runtime, "binding.gyp"), join(runtime, "reference", "reference.gypi")].some(
    (file) => existsSync(file) && statSync(file).mtimeMs > built,
  );
}

/** Runs node-gyp with its output going to the log; resolves to the exit code. */
function nodeGyp(...args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [findNodeGyp(), ...args, "-C", runtime], { env: process.env });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
        for (const [, file] of text.matchAll(/(?:CXX|CC)\(target\) .*\/(\S+?)\.o$/gm)) progress(file);
      });
    }
    child.on("close", (code) => {
      writeFileSync(logFile, output, { flag: "a" });
      resolve(code ?? 1);
    });
  });
}

let compiled = 0;

function progress(file) {
  compiled += 1;
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K  compiled ${file} (${compiled})`);
}

/** The lines of the log that say what went wrong. */
function errorLines() {
  const lines = readFileSync(logFile, "utf8").split("\n");
  const errors = lines.filter((line) => /error[: ]|undefined reference|ERR!|No such file/i.test(line));
  return (errors.length > 0 ? errors : lines.slice(-20)).slice(0, 20).join("\n");
}

/** Builds of one tree must not overlap; the lock is a file with the builder's process id. */
async function lock() {
  const file = join(build, "lock");
  process.on("exit", () => {
    if (existsSync(file) && readFileSync(file, "utf8") === String(process.pid)) rmSync(file);
  });
  for (let waits = 0; ; waits += 1) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (!holderLives(file)) rmSync(file, { force: true });
    else if (waits === 0) console.log("waiting for another build ...");
    await setTimeout(300);
  }
}

function holderLives(file) {
  try {
    process.kill(Number(readFileSync(file, "utf8")), 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

const missing = missingTools();
if (missing.length > 0) fail(`cannot build the native runtime; this machine lacks:\n  ${missing.join("\n  ")}`);

const started = Date.now();
const options = JSON.stringify([process.version, process.arch, ...headerArguments()]);
mkdirSync(build, { recursive: true });
await lock();
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
])
  process.on(signal, () => process.exit(code));
writeFileSync(logFile, "");
console.log("building the native runtime (addon and reference backend); the first time takes a minute or two ...");
let code = 0;
if (needsConfigure(options)) {
  code = await nodeGyp("configure", ...headerArguments());
  if (code === 0) writeFileSync(join(build, "configured"), options);
}
const jobs = process.env.JOBS ?? String(availableParallelism());
if (code === 0) code = await nodeGyp("build", "-j", jobs);
if (process.stdout.isTTY && compiled > 0) process.stdout.write("\r\x1b[K");
if (code !== 0) fail(`${errorLines()}\nthe native build failed; the whole log is in ${logFile}`);
const seconds = ((Date.now() - started) / 1000).toFixed(1);
console.log(`native runtime ${compiled > 0 ? `built, ${compiled} files` : "is up to date"} (${seconds} s)`);
