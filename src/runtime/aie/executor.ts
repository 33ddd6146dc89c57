/** What executes the designs of a build for an AIE array: the simulator, or an NPU through XRT. */
import { existsSync, readFileSync } from "node:fs";
import { HeddleError } from "../../ir/error.ts";
import type { ArrayName } from "../execution.ts";
import { openXrt } from "../xrt.ts";
import type { XrtKernel } from "../xrt-kernel.ts";
import type { BufferArray } from "./convert.ts";

export interface KernelBuffer {
  readonly bytes: number;
  readonly direction: "in" | "out";
}

/** One design of a build. */
export interface Design {
  readonly name: string;
  /** Path of the `.mlir` file. */
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
  /** @throws HeddleError (rejects) where the design cannot be executed here, saying what is missing. */
  open(design: Design): Promise<OpenKernel>;
}

/** Ryzen AI NPUs: `aiecc` compiled `<kernel>.mlir` to `<kernel>.xclbin` and `<kernel>.insts.bin`, side by side. */
export const xrtExecutor: ArrayExecutor = {
  async open({ file, buffers }): Promise<OpenKernel> {
    const stem = file.slice(0, -".mlir".length);
    const xclbin = `${stem}.xclbin`;
    // Where there is no xclbin either, `openXrt` says so, and how both are made.
    const instructions = existsSync(xclbin) ? readInstructions(`${stem}.insts.bin`) : new Uint32Array(1);
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
    const { loadDesign, simulate } = await import("../aie-sim/index.ts");
    const { bytesOf } = await import("../aie-sim/mlir/type.ts");
    const design = loadDesign(readFileSync(file, "utf8"), { file });
    const own = design.host.args.map(({ type }) => bytesOf(type));
    if (String(own) !== String(buffers.map((b) => b.bytes)))
      throw new HeddleError(
        `has buffers of ${own.join(", ")} bytes; the build hands it ${buffers.map((b) => b.bytes).join(", ")}`,
        {
          subject: `design ${name}`,
          loc: design.device.sequence.loc,
          hint: "compile the program again",
        },
      );
    return { run: async (arrays) => void simulate(design, arrays), close: () => {} };
  },
};

export const arrayExecutor = (name: ArrayName): ArrayExecutor => (name === "xrt" ? xrtExecutor : simExecutor);
