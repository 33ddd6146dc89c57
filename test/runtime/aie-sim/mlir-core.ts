/** Runs the body of a core with MLIR's own tools, on the elements that the simulator gave it. */
import type { Core } from "../../../src/runtime/aie-sim/design.ts";
import { extractCore } from "../../../src/runtime/aie-sim/extract.ts";
import type { Design } from "../../../src/runtime/aie-sim/index.ts";
import { lowering, mlirOpt, mlirRun } from "../../support/mlir-tools.ts";

/** Elements of each FIFO, in order. */
export type Elements = ReadonlyMap<string, readonly Int32Array[]>;

const bytesOf = (elements: readonly Int32Array[]): Buffer =>
  Buffer.concat(elements.map((e) => Buffer.from(e.buffer, e.byteOffset, e.byteLength)));

/**
 * @param taken what the core takes. @param given as many elements as the core gives; only their number counts.
 * @returns the words of every FIFO that the core gives, in order.
 */
export function runCore(design: Design, core: Core, taken: Elements, given: Elements): Map<string, Int32Array> {
  const count = (f: string): number => (taken.get(f) ?? given.get(f) ?? []).length;
  const { text, fifos } = extractCore(design, core, count, 1);
  const size = (f: string): number => bytesOf(taken.get(f) ?? given.get(f) ?? []).length;
  const main = fifos.flatMap((f) => {
    const type = `memref<${size(f)}xi8>`;
    return taken.has(f) ? [`%${f} = memref.get_global @${f} : ${type}`] : [`%${f} = memref.alloc() : ${type}`];
  });
  const outputs = fifos.filter((f) => given.has(f));
  const prints = outputs.flatMap((f) => [
    `%words.${f} = memref.view %${f}[%c0][] : memref<${size(f)}xi8> to memref<${size(f) / 4}xi32>`,
    `%any.${f} = memref.cast %words.${f} : memref<${size(f) / 4}xi32> to memref<*xi32>`,
    `call @printMemrefI32(%any.${f}) : (memref<*xi32>) -> ()`,
  ]);
  const globals = fifos
    .filter((f) => taken.has(f))
    .map(
      (f) =>
        `memref.global "private" @${f} : memref<${size(f)}xi8> = dense<"0x${bytesOf(taken.get(f)!).toString("hex")}">`,
    );
  const module = [
    ...globals,
    "func.func private @printMemrefI32(memref<*xi32>) attributes { llvm.emit_c_interface }",
    text,
    "func.func @main() {",
    "%c0 = arith.constant 0 : index",
    ...main,
    `call @core(${fifos.map((f) => `%${f}`).join(", ")}) : (${fifos.map((f) => `memref<${size(f)}xi8>`).join(", ")}) -> ()`,
    ...prints,
    "return",
    "}",
  ].join("\n");
  const printed = mlirRun(mlirOpt(module, ...lowering));
  const arrays = [...printed.matchAll(/data =\s*\n?\[([^\]]*)\]/g)].map((m) =>
    Int32Array.from(m[1]!.split(","), Number),
  );
  if (arrays.length !== outputs.length) throw new Error(`unexpected output of mlir-runner: ${printed.slice(0, 500)}`);
  return new Map(outputs.map((f, i) => [f, arrays[i]!]));
}
