/** Debian's MLIR tools: an outside opinion on what we write. Tests that need them are skipped where they are absent. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const folder = "/usr/lib/llvm-22";
const tool = (name: string): string | undefined =>
  [`/usr/bin/${name}-22`, `${folder}/bin/${name}`].find((path) => existsSync(path));

const [opt, runner] = [tool("mlir-opt"), tool("mlir-runner")];

/** Whether the tools are there. @throws Error where they are missing but required. */
export function haveMlir(): boolean {
  if (opt && runner) return true;
  const how = "apt-get install mlir-22-tools (Debian bookworm-security)";
  if (process.env.HEDDLE_REQUIRE_MLIR === "1") throw new Error(`mlir-opt-22 is missing: ${how}`);
  console.log(`skipped: mlir-opt-22 is not installed; ${how}`);
  return false;
}

function run(path: string, args: readonly string[], input: string): string {
  const { stdout, stderr, status, error } = spawnSync(path, args, { input, encoding: "utf8", maxBuffer: 1 << 28 });
  if (error) throw error;
  if (status !== 0) throw new Error(`${path} ends with ${status}: ${stderr.slice(0, 4000)}`);
  return stdout;
}

/** Parses, verifies, and applies passes. @throws Error with what the tool says. */
export const mlirOpt = (text: string, ...args: readonly string[]): string => run(opt!, args, text);

/** From vectors, loops and memrefs down to LLVM's dialect; bf16 is computed in f32 and rounded to the nearest even. */
export const lowering = [
  "--lower-vector-multi-reduction",
  "--convert-vector-to-scf",
  "--arith-emulate-unsupported-floats=source-types=bf16 target-type=f32",
  "--math-extend-to-supported-types=target-type=f32",
  "--convert-scf-to-cf",
  "--convert-vector-to-llvm=vector-contract-lowering=outerproduct",
  "--expand-strided-metadata",
  "--arith-expand=include-bf16=true",
  "--lower-affine",
  "--convert-math-to-llvm",
  "--convert-math-to-libm",
  "--convert-vector-to-llvm",
  "--convert-arith-to-llvm",
  "--convert-index-to-llvm",
  "--finalize-memref-to-llvm",
  "--convert-func-to-llvm",
  "--convert-cf-to-llvm",
  "--convert-ub-to-llvm",
  "--reconcile-unrealized-casts",
] as const;

const libraries = ["mlir_runner_utils", "mlir_c_runner_utils", "mlir_float16_utils"].map(
  (name) => `--shared-libs=${folder}/lib/lib${name}.so.22.1`,
);

/** Runs `@main` of a module in LLVM's dialect. */
export const mlirRun = (text: string): string =>
  run(runner!, ["-e", "main", "--entry-point-result=void", "-O1", ...libraries], text);
