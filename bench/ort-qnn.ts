/** The peer on HTP: ONNX Runtime's QNN provider, which is used from Python, on the simulator that our own graphs are costed on. */
import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";

/** Of one run; the session's build is measured, the rest simulated. */
export interface OrtQnnCost {
  readonly sessionSeconds: number;
  readonly us: number;
  readonly read: number;
  readonly written: number;
}

const python = process.env.HEDDLE_PYTHON ?? "python3";

/** @throws Error that says how to install what is missing. */
export function checkOrtQnn(): void {
  if (spawnSync(python, ["-c", "import onnxruntime, onnxruntime_qnn"]).status === 0) return;
  throw new Error(
    `${python} has no onnxruntime-qnn, the peer of suite htp. To install it:\n` +
      "  python3 -m venv .cache/venv && .cache/venv/bin/pip install -r scripts/requirements-ort-qnn.txt\n" +
      "and set HEDDLE_PYTHON=.cache/venv/bin/python",
  );
}

/** @param soc that it compiles for; only 52 is also simulated. */
export async function costOfOnnx(file: string, soc = 52): Promise<OrtQnnCost> {
  const { stdout } = await promisify(execFile)(python, ["scripts/ort_qnn_cost.py", file, "--soc", String(soc)]);
  // The provider's libraries print lines of their own before.
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as OrtQnnCost;
}
