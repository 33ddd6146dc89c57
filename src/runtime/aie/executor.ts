/** What executes the designs of a build for an AIE array: the simulator, or an NPU through XRT. */
import { existsSync, readFileSync } from "node:fs";
import { HeddleError } from "../../ir/error.ts";
import type { Design } from "../aie-sim/index.ts";
import type { ArrayName } from "../execution.ts";
import { openXrt } from "../xrt.ts";
import type { XrtKernel } from "../xrt-kernel.ts";
import type { BufferArray } from "./convert.ts";

export interface KernelBuffer {
  readonly bytes: number;
  readonly direction: "in" | "out";
}

/** A kernel of a build: a runtime sequence of a design. */
export interface Kernel {
  /** Of the sequence. */
  readonly name: string;
  /** Path of the design, a `.mlir` file. Kernels of one are loaded together. */
  readonly file: string;
  /** Arguments of its runtime sequence, in order. */
  readonly buffers: readonly KernelBuffer[];
}

export interface OpenKernel {
  /** @param arrays one per buffer, read and written in place. */
  run(arrays: readonly BufferArray[]): Promise<void>;
  close(): void;
}

export interface ArrayExecutor {
  /** @throws HeddleError (rejects) where the kernel cannot be executed here, saying what is missing. */
  open(kernel: Kernel): Promise<OpenKernel>;
}

/** Ryzen AI NPUs: `aiecc` compiled `<design>.mlir` to `<design>.xclbin` and, for every kernel of it, `<design>.<kernel>.insts.bin`. */
export const xrtExecutor: ArrayExecutor = {
  async open({ name, file, buffers }): Promise<OpenKernel> {
    const stem = file.slice(0, -".mlir".length);
    const xclbin = `${stem}.xclbin`;
    // Where there is no xclbin either, `openXrt` says so, and how both are made.
    const instructions = existsSync(xclbin) ? readInstructions(`${stem}.${name}.insts.bin`) : new Uint32Array(1);
    const kernel: XrtKernel = await openXrt({ xclbin, instructions, buffers });
    return { run: (arrays) => kernel.run(arrays), close: () => kernel.close() };
  },
};

/** @throws HeddleError for a file that is missing, empty, or not whole 32-bit words: a design must not run on other instructions. */
function readInstructions(file: string): Uint32Array {
  const hint = "run the build script that lies beside the .mlir; it calls aiecc (docs/mlir-aie.md)";
  if (!existsSync(file))
    throw new HeddleError("is missing, and the xclbin beside it is there", { subject: file, hint });
  const bytes = readFileSync(file);
  if (bytes.length === 0 || bytes.length % 4 !== 0)
    throw new HeddleError(`has ${bytes.length} bytes, which are no 32-bit instructions`, { subject: file, hint });
  return new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** The functional simulator: reads the text of the design itself, so nothing but the build is needed. */
export const simExecutor: ArrayExecutor = {
  async open({ name, file, buffers }): Promise<OpenKernel> {
    const { simulate } = await import("../aie-sim/index.ts");
    const { bytesOf } = await import("../aie-sim/mlir/type.ts");
    const design = await load(file);
    const subject = `kernel ${name}`;
    const hint = "compile the program again";
    const host = design.hosts.find((h) => h.name === name);
    if (!host)
      throw new HeddleError("is no runtime sequence of its design", { subject, loc: design.device.device.loc, hint });
    const own = host.args.map(({ type }) => bytesOf(type));
    if (String(own) !== String(buffers.map((b) => b.bytes)))
      throw new HeddleError(
        `has buffers of ${own.join(", ")} bytes; the build hands it ${buffers.map((b) => b.bytes).join(", ")}`,
        { subject, loc: host.loc, hint },
      );
    return { run: async (arrays) => void simulate(design, arrays, { sequence: name }), close: () => {} };
  },
};

/** Designs that are in use, by file and text: kernels of one share it. */
const loaded = new Map<string, WeakRef<Design>>();

async function load(file: string): Promise<Design> {
  const { loadDesign } = await import("../aie-sim/index.ts");
  for (const [key, design] of loaded) if (!design.deref()) loaded.delete(key);
  const text = readFileSync(file, "utf8");
  const key = `${file}\n${text}`;
  const known = loaded.get(key)?.deref();
  if (known) return known;
  const design = loadDesign(text, { file });
  loaded.set(key, new WeakRef(design));
  return design;
}

export const arrayExecutor = (name: ArrayName): ArrayExecutor => (name === "xrt" ? xrtExecutor : simExecutor);
