/** XRT by a library of the same interface that needs no NPU (test/native/fake_xrt.cpp), and the errors of machines without one. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { xrtExecutor } from "../../src/runtime/aie/executor.ts";
import { openXrt, xrtCandidates } from "../../src/runtime/xrt.ts";
import { tempFolder } from "../support/temp.ts";

const folder = tempFolder();
const library = join(folder, "libxrt_coreutil.so.2");
execFileSync(process.env.CXX?.split(" ")[0] ?? "g++", [
  ...["-std=c++20", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library],
  "test/native/fake_xrt.cpp",
]);
const xclbin = join(folder, "add.xclbin");
writeFileSync(xclbin, "xclbin2 and so on");

const plan = {
  xclbin,
  instructions: Uint32Array.of(1, 2, 3, 4),
  buffers: [
    { bytes: 16, direction: "in" },
    { bytes: 16, direction: "in" },
    { bytes: 16, direction: "out" },
  ],
} as const;

async function refused(work: () => Promise<unknown>, ...words: RegExp[]): Promise<void> {
  try {
    await work();
  } catch (e) {
    for (const w of words) assert.match((e as Error).message, w);
    return;
  }
  assert.unreachable("nothing was refused");
}

test("a design runs, again and again, on the arrays that it is given", async () => {
  const kernel = await openXrt(plan, library);
  const sum = new Int32Array(4);
  const both = [kernel.run([Int32Array.of(1, 2, 3, 4), Int32Array.of(10, 20, 30, 40), sum])];
  const other = new Int32Array(4);
  both.push(kernel.run([Int32Array.of(-1, -2, -3, -4), Int32Array.of(1, 1, 1, 1), other]));
  await Promise.all(both);
  assert.equal([...sum], [11, 22, 33, 44]);
  assert.equal([...other], [0, -1, -2, -3]);
  kernel.close();
  kernel.close();
  await refused(async () => kernel.run([sum, sum, sum]), /the kernel is closed/);
});

test("kernels of one design share its hardware context, and it goes with the last of them", async () => {
  const [first, second] = await Promise.all([
    openXrt(plan, library),
    openXrt({ ...plan, instructions: Uint32Array.of(9, 8) }, library),
  ]);
  const other = join(folder, "other.xclbin");
  writeFileSync(other, "xclbin2 of another design");
  const sum = new Int32Array(4);
  const run = (kernel: typeof first) => kernel.run([Int32Array.of(1, 2, 3, 4), Int32Array.of(1, 1, 1, 1), sum]);
  await run(first);
  first.close();
  await refused(() => openXrt({ ...plan, xclbin: other }, library), /No hardware context is left/);
  await run(second);
  assert.equal([...sum], [2, 3, 4, 5]);
  second.close();
  (await openXrt({ ...plan, xclbin: other }, library)).close();
});

test("arrays of other sizes are refused before anything runs", async () => {
  const kernel = await openXrt(plan, library);
  const four = new Int32Array(4);
  await refused(async () => kernel.run([four, four]), /expected 3 arrays, got 2/);
  await refused(async () => kernel.run([four, new Int32Array(5), four]), /buffers\[1\]: expected 16 bytes, got 20/);
  kernel.close();
});

test("a design that hangs is given up, and says so", async () => {
  const kernel = await openXrt({ ...plan, instructions: Uint32Array.of(1, 2, 3, 0xdead), timeoutMs: 5 }, library);
  const four = new Int32Array(4);
  await refused(
    () => kernel.run([four, four, four]),
    /the NPU did not complete the run: it was timed out after at most 5 ms/,
  );
  kernel.close();
});

test("what XRT refuses is told in its words, with the file and what is needed", async () => {
  const damaged = join(folder, "damaged.xclbin");
  writeFileSync(damaged, "text");
  await refused(
    () => openXrt({ ...plan, xclbin: damaged }, library),
    /damaged\.xclbin: XRT .* cannot open it: Invalid xclbin/,
  );
  await refused(() => openXrt({ ...plan, device: 3 }, library), /No such device with index '3'/, /amdxdna driver/);
  await refused(() => openXrt({ ...plan, kernel: "other" }, library), /No kernel 'other' in xclbin/);
});

test("a wrong plan is a TypeError that names the field", async () => {
  const odd = { ...plan, buffers: [{ bytes: 0, direction: "in" }] } as const;
  await refused(() => openXrt(odd, library), /kernel\.buffers\[0\]\.bytes/);
  await refused(() => openXrt({ ...plan, instructions: new Uint32Array(0) }, library), /whole 32-bit words/);
});

test("without XRT, and with a library that is not XRT, the error says what is missing", async () => {
  await refused(() => openXrt({ ...plan, xclbin: join(folder, "none") }), /none: there is no such file/, /aiecc/);
  await refused(() => openXrt(plan, join(folder, "nowhere.so")), /there is no such file/);
  const foreign = "src/runtime/build/Release/libheddle_reference.so";
  await refused(() => openXrt(plan, foreign), /has no xrt::device\(unsigned\): it is not XRT/);
  assert.is(xrtCandidates("/somewhere")[0], join("/somewhere", "lib", "libxrt_coreutil.so.2"));
});

test("a design without its instructions, or with half of them, does not run", async () => {
  const design = { name: "sum", file: join(folder, "add.mlir"), buffers: [] };
  await refused(() => xrtExecutor.open(design), /add\.sum\.insts\.bin: is missing, and the xclbin/, /aiecc/);
  writeFileSync(join(folder, "add.sum.insts.bin"), new Uint8Array(6));
  await refused(() => xrtExecutor.open(design), /has 6 bytes, which are no 32-bit instructions/);
  await refused(
    () => xrtExecutor.open({ ...design, file: join(folder, "none.mlir") }),
    /none\.xclbin: there is no such file/,
  );
});

test.run();
