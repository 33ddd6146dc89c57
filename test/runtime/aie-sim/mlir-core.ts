/** Runs the body of a core with MLIR's own tools, on the elements that the simulator gave it. */
import * as assert from "uvu/assert";
import type { Core } from "../../../src/runtime/aie-sim/design.ts";
import { extractCore } from "../../../src/runtime/aie-sim/extract.ts";
import { type Design, simulate } from "../../../src/runtime/aie-sim/index.ts";
import { lowering, mlirOpt, mlirRun } from "../../support/mlir-tools.ts";

/** Elements of each FIFO, in order. */
export type Elements = ReadonlyMap<string, readonly Int32Array[]>;

const bytesOf = (elements: readonly Int32Array[]): Buffer =>
  Buffer.concat(elements.map((e) => Buffer.from(e.buffer, e.byteOffset, e.byteLength)));

/**
 * @param taken what the core takes. @param given as many elements as the core gives; only their number counts. @param rounds of its
 * endless loop.
 * @returns the words of every FIFO that the core gives, in order.
 */
export function runCore(
  design: Design,
  core: Core,
  taken: Elements,
  given: Elements,
  rounds: number,
): Map<string, Int32Array> {
  const count = (f: string): number => (taken.get(f) ?? given.get(f) ?? []).length;
  const { text, fifos } = extractCore(design, core, count, rounds);
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

/** Simulates, and gives one core of each program to MLIR's tools. @returns how many programs there were. */
export function compare(design: Design, buffers: readonly ArrayBufferView[], rounds = 1): number {
  const seen = new Map<Core, { taken: Map<string, Int32Array[]>; given: Map<string, Int32Array[]> }>();
  simulate(design, buffers, {
    observe: ({ core, fifo, side, words }) => {
      const of = seen.get(core) ?? { taken: new Map(), given: new Map() };
      seen.set(core, of);
      const list = side === "Consume" ? of.taken : of.given;
      list.set(fifo, [...(list.get(fifo) ?? []), words]);
    },
  });
  const programs = new Map(design.cores.map((c) => [c.source, c.core]));
  for (const core of programs.values()) {
    const { taken, given } = seen.get(core)!;
    for (const [fifo, words] of runCore(design, core, taken, given, rounds)) {
      const ours = Int32Array.from(given.get(fifo)!.flatMap((e) => [...e]));
      const wrong = [...words.keys()].filter((i) => words[i] !== ours[i]);
      const hex = (w: number | undefined) => ((w ?? 0) >>> 0).toString(16).padStart(8, "0");
      const shown = wrong.slice(0, 8).map((i) => `word ${i}: ${hex(words[i])}, here ${hex(ours[i])}`);
      assert.equal(
        shown,
        [],
        `@${fifo} of the core on tile ${core.tile.name}: ${wrong.length} of ${ours.length} words differ`,
      );
      assert.is(words.length, ours.length);
    }
  }
  return programs.size;
}

/** Made-up contents of a buffer: bf16 or f32 of either sign between 1/8 and 2, or any integers. */
export function noise(bytes: number, seed: number, element = "bf16"): Uint32Array | Uint16Array | Uint8Array {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
  const exponent = (x: number) => 124 + ((x >>> 20) & 3);
  if (element === "i8") return Uint8Array.from({ length: bytes }, () => next() >>> 24);
  if (element === "i32") return Uint32Array.from({ length: bytes / 4 }, next);
  if (element === "f32")
    return Uint32Array.from({ length: bytes / 4 }, () => {
      const x = next();
      return (x & 0x80000000) | (exponent(x) << 23) | (next() >>> 9);
    });
  return Uint16Array.from({ length: bytes / 2 }, () => {
    const x = next();
    return ((x >>> 31) << 15) | (exponent(x) << 7) | ((x >>> 8) & 127);
  });
}
