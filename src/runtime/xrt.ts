/**
 * AMD NPUs through XRT, AMD's own runtime: one compiled array design (an `.xclbin` and its instruction stream, both written by
 * `aiecc`) as a function over typed arrays. Nothing of XRT is needed to build Heddle; its library is loaded when a kernel is
 * opened: device, xclbin, hardware context, kernel, buffers.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { HeddleError } from "../ir/error.ts";
import { openXrtKernel } from "./addon.ts";
import type { XrtKernel, XrtPlan } from "./xrt-kernel.ts";

const file = "libxrt_coreutil.so.2";

/** Where XRT installs itself, best first; `$XILINX_XRT` is set by its own setup script. */
export function xrtCandidates(xilinxXrt = process.env.XILINX_XRT): string[] {
  const own = xilinxXrt ? [join(xilinxXrt, "lib")] : [];
  return [...own, "/opt/xilinx/xrt/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"].map((folder) =>
    join(folder, file),
  );
}

const howTo =
  "this needs a Ryzen AI machine with the amdxdna driver and XRT 2.18 or newer (docs/mlir-aie.md); aie-sim runs the same design anywhere";

/**
 * Opens a design on an NPU.
 * @param library path of libxrt_coreutil.so; by default the first of `xrtCandidates` that exists
 * @throws HeddleError (rejects) where XRT is not installed or too old, where there is no NPU, and where it refuses the xclbin
 */
export async function openXrt(plan: XrtPlan, library?: string): Promise<XrtKernel> {
  if (process.platform !== "linux")
    throw new HeddleError(`XRT is loaded on Linux only; this is ${process.platform}`, { hint: howTo });
  if (!existsSync(plan.xclbin))
    throw new HeddleError("there is no such file", {
      subject: plan.xclbin,
      hint: "run the build script that lies beside the .mlir; it calls aiecc (docs/mlir-aie.md)",
    });
  const candidates = xrtCandidates();
  const found = library ?? candidates.find((path) => existsSync(path));
  if (!found)
    throw new HeddleError(
      `XRT, AMD's runtime for its NPUs, is not installed; searched:${candidates.map((c) => `\n    ${c}`).join("")}`,
      { hint: howTo },
    );
  try {
    return await openXrtKernel(found, plan);
  } catch (cause) {
    if (cause instanceof TypeError) throw cause;
    const words = cause instanceof HeddleError ? cause.reason : (cause as Error).message;
    const error = new HeddleError(`XRT (${found}) cannot open it: ${words}`, { subject: plan.xclbin, hint: howTo });
    error.cause = cause;
    throw error;
  }
}
