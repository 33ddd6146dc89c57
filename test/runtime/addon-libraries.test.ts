/** Loading: libraries that are none, wrong options, and where libraries are looked for. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { findCompiler } from "../../src/htp/index.ts";
import { loadBackend, QnnError } from "../../src/runtime/addon.ts";
import { findCompilerLibrary, libraryCandidates, libraryFile } from "../../src/runtime/libraries.ts";
import { reportLibraries } from "../../src/runtime/library-report.ts";
import { decodeQnnError } from "../../src/runtime/qnn/errors.ts";
import { available, backends } from "./addon-support.ts";

const test = suite("addon libraries");

/** What `action` throws; fails where it throws nothing. */
function thrown(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

test("a missing file", () => {
  const error = thrown(() => loadBackend("/nowhere/libQnnHtp.so"));
  assert.instance(error, QnnError);
  assert.is(error.message, "cannot load /nowhere/libQnnHtp.so: there is no such file");
  assert.is(error.name, "QnnError");
});

test("a text file", () => {
  const folder = mkdtempSync(join(tmpdir(), "heddle-"));
  const file = join(folder, "libText.so");
  writeFileSync(file, "not a library\n");
  const error = thrown(() => loadBackend(file));
  rmSync(folder, { recursive: true });
  assert.instance(error, QnnError);
  assert.match(error.message, /^cannot load .*libText\.so: /);
});

test("a library that is not a backend: this addon itself", () => {
  const addon = new URL("../../src/runtime/build/Release/heddle.node", import.meta.url).pathname;
  const error = thrown(() => loadBackend(addon));
  assert.instance(error, QnnError);
  assert.match(
    error.message,
    /heddle\.node is not a QNN backend library: it does not export QnnInterface_getProviders$/,
  );
});

test("paths that are no strings", () => {
  assert.is(thrown(() => loadBackend(7 as never)).message, "library path: expected a string, got 7");
  assert.is(thrown(() => loadBackend("")).message, 'library path: expected a string that is not empty, got ""');
  assert.match(thrown(() => loadBackend("a\0b")).message, /cannot hold a NUL/);
});

for (const { name, path } of backends) {
  test(`${name}: options are checked`, () => {
    const refuse = (options: object, words: RegExp) => {
      const error = thrown(() => loadBackend(path, options));
      assert.instance(error, TypeError);
      assert.match(error.message, words);
    };
    refuse({ logLevl: "warn" }, /unknown option 'logLevl'; there are logLevel, threads, simd, soc/);
    refuse({ logLevel: "loud" }, /logLevel: expected one of error, warn, info, verbose, debug, got "loud"/);
    refuse({ threads: -1 }, /threads: expected an integer from 0 to 1024, got -1/);
    refuse({ threads: 1.5 }, /threads: expected an integer/);
    if (name !== "reference") refuse({ threads: 2 }, /options of Heddle's reference backend; .* is \w+_QTI_AISW/);
    if (name !== "htp") refuse({ soc: 60 }, /soc is an option of Qualcomm's HTP backend/);
  });

  test(`${name}: loads, describes itself, closes twice`, () => {
    const backend = loadBackend(path);
    assert.is(backend.id, { reference: 0x48, "qnn-cpu": 3, htp: 6 }[name]);
    assert.is(
      backend.provider,
      { reference: "HEDDLE_REFERENCE", "qnn-cpu": "CPU_QTI_AISW", htp: "HTP_QTI_AISW" }[name],
    );
    assert.match(backend.coreVersion, /^2\.\d+\.\d+$/);
    assert.is(backend.path, path);
    backend.close();
    backend.close();
    assert.is(thrown(() => backend.createContext()).message, "the backend is closed");
    assert.is(thrown(() => backend.takeLog()).message, "the backend is closed");
  });

  test(`${name}: two at a time, and again after closing`, () => {
    const first = loadBackend(path);
    const second = loadBackend(path);
    first.createContext().close();
    first.close();
    second.createContext();
    second.close();
    loadBackend(path).close();
  });
}

const htp = available("htp");
if (htp) {
  test("htp: an unknown SoC is refused with the decoded code and the log", () => {
    const error = thrown(() => loadBackend(htp, { soc: 123456 })) as QnnError;
    assert.instance(error, QnnError);
    assert.is(error.code, 14001);
    assert.is(error.name, "QNN_DEVICE_ERROR_INVALID_CONFIG");
    assert.is(error.call, "deviceCreate");
    assert.ok(error.log.length > 0);
    assert.match(error.message, /try: check the SoC number: 60 is Snapdragon X Elite/);
  });
}

test("classes have no public constructor", () => {
  for (const { path } of backends.slice(0, 1)) {
    const backend = loadBackend(path);
    const type = backend.constructor as new () => unknown;
    assert.match(thrown(() => new type()).message, /no public constructor; call loadBackend/);
    assert.throws(() => backend.createContext.call({} as never), /Illegal invocation/);
    backend.close();
  }
});

test("codes are decoded, unknown ones by their range", () => {
  assert.is(decodeQnnError(6022).name, "QNN_GRAPH_ERROR_FINALIZE_FAILED");
  assert.equal(decodeQnnError(5999), {
    name: "QNN_CONTEXT_ERROR_5999",
    words: "code 5999, which the core API does not define",
  });
  assert.is(decodeQnnError(12).name, "QNN_UNKNOWN_ERROR_12");
});

test("where libraries are looked for", () => {
  assert.is(libraryFile("htp", "win32"), "QnnHtp.dll");
  assert.is(libraryFile("reference", "darwin"), "libheddle_reference.dylib");
  const laptop = libraryCandidates("htp", { platform: "win32", arch: "arm64", sdk: "/sdk" });
  assert.is(laptop[0], join("/sdk", "lib", "aarch64-windows-msvc", "QnnHtp.dll"));
  assert.is(libraryCandidates("qnn-cpu", { platform: "linux", arch: "x64", sdk: undefined }).length, 1);
});

/** Runs `action` with `$QNN_SDK_ROOT` at a folder that has these libraries for this machine, each an empty file. */
function withSdk<T>(files: readonly string[], action: (lib: string) => T): T {
  const sdk = mkdtempSync(join(tmpdir(), "heddle-sdk-"));
  const lib = join(sdk, "lib", "x86_64-linux-clang");
  mkdirSync(lib, { recursive: true });
  for (const file of files) writeFileSync(join(lib, file), "");
  process.env.QNN_SDK_ROOT = sdk;
  try {
    return action(lib);
  } finally {
    delete process.env.QNN_SDK_ROOT;
    rmSync(sdk, { recursive: true });
  }
}

test("the report: what was found, where, and what is wrong with it", () => {
  const [own] = reportLibraries(["reference"]);
  assert.is(own!.origin, "npm run build:native");
  assert.is(own!.version!.provider, "HEDDLE_REFERENCE");
  assert.is(own!.problem, undefined);
  if (process.platform !== "linux" || process.arch !== "x64") return;
  withSdk(["libQnnHtp.so"], (lib) => {
    const [broken] = reportLibraries(["htp"]);
    assert.is(broken!.path, join(lib, "libQnnHtp.so"));
    assert.is(broken!.origin, "QNN_SDK_ROOT");
    assert.match(broken!.problem!, /^cannot load .*libQnnHtp\.so: .*file too short/);
    assert.is(
      thrown(findCompilerLibrary).message.split("\n")[0],
      `the System library, which reads context binaries back, is not beside ${lib}/libQnnHtp.so: no ${lib}/libQnnSystem.so`,
    );
    assert.match(
      thrown(findCompiler).message,
      /^a context binary needs Qualcomm's compiler: .*\n {2}try: .*; or compile with --no-context/,
    );
  });
  if (!htp) return;
  withSdk([], () => {
    const [fetched] = reportLibraries(["htp"]);
    assert.is(fetched!.path, htp);
    assert.match(fetched!.system!, /libQnnSystem\.so$/);
    assert.match(fetched!.note!, /QNN_SDK_ROOT is .*, which has no such library for this machine/);
  });
});

test.run();
