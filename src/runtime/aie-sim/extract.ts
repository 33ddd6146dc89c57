/**
 * The body of a core as a function of standard dialects, for tools that know nothing of the array: every FIFO is one argument
 * that holds all its elements in a row, and a counter says which of them is the oldest that the core holds.
 */
import { type Core, failAt } from "./design.ts";
import type { Design } from "./index.ts";
import { bodyOf, intAttr, type Op, stringAttr, symbolAttr, type Value, walk } from "./mlir/op.ts";
import { printOp } from "./mlir/print.ts";
import { bytesOf, showType } from "./mlir/type.ts";

export interface Extracted {
  /** A `func.func @core`, whose arguments are the FIFOs as memrefs of bytes. */
  readonly text: string;
  readonly fifos: readonly string[];
}

/** @param elements how many elements of each FIFO there are. @param rounds how often endless loops run. */
export function extractCore(design: Design, core: Core, elements: (fifo: string) => number, rounds: number): Extracted {
  const ops = [...walk(core.op.regions[0]!)];
  const accesses = ops.filter((o) => o.name === "aie.objectfifo.acquire" || o.name === "aie.objectfifo.release");
  const fifos = [...new Set(accesses.map((o) => symbolAttr(o, "objFifo_name")))];
  const size = (fifo: string): number => bytesOf(design.device.fifoOf(fifo, core.op).type);
  const typeOf = (f: string): string => `memref<${Math.max(1, elements(f)) * size(f)}xi8>`;
  const args = fifos.map((f) => `%fifo.${f}: ${typeOf(f)}`);
  const used = new Set(ops.flatMap((o) => o.operands));
  const buffers = [...design.hardware.bufferOf.keys()].filter((v) => used.has(v));
  const counters = fifos.flatMap((f) => [
    `%at.${f} = memref.alloc() : memref<1xindex>`,
    `memref.store %zero, %at.${f}[%zero] : memref<1xindex>`,
  ]);
  const replace = replacement(size, typeOf, rounds);
  const lines = [
    "%zero = arith.constant 0 : index",
    ...counters,
    ...buffers.map((v) => `${v.name} = memref.alloc() : ${showType(v.type)}`),
    ...bodyOf(core.op).ops.map((op) => printOp(op, "", replace)),
    "return",
  ];
  const functions = [...design.device.functions.values()].map((f) => printOp(f));
  const body = lines.join("\n").replaceAll(/^/gm, "  ");
  return { text: `${functions.join("\n")}func.func @core(${args.join(", ")}) {\n${body}\n}\n`, fifos };
}

function replacement(size: (fifo: string) => number, typeOf: (fifo: string) => string, rounds: number) {
  let next = 0;
  const fifoOf = new Map<Value, string>();
  return (op: Op): readonly string[] | undefined => {
    switch (op.name) {
      case "aie.objectfifo.acquire":
        fifoOf.set(op.results[0]!, symbolAttr(op, "objFifo_name"));
        return [];
      case "aie.objectfifo.subview.access": {
        const f = fifoOf.get(op.operands[0]!)!;
        const n = next++;
        const { name, type } = op.results[0]!;
        return [
          `%first.${n} = memref.load %at.${f}[%zero] : memref<1xindex>`,
          `%index.${n} = arith.constant ${intAttr(op, "index")} : index`,
          `%element.${n} = arith.addi %first.${n}, %index.${n} : index`,
          `%size.${n} = arith.constant ${size(f)} : index`,
          `%byte.${n} = arith.muli %element.${n}, %size.${n} : index`,
          `${name} = "memref.view"(%fifo.${f}, %byte.${n}) : (${typeOf(f)}, index) -> ${showType(type)}`,
        ];
      }
      case "aie.objectfifo.release": {
        const f = symbolAttr(op, "objFifo_name");
        const n = next++;
        return [
          `%first.${n} = memref.load %at.${f}[%zero] : memref<1xindex>`,
          `%released.${n} = arith.constant ${intAttr(op, "size")} : index`,
          `%element.${n} = arith.addi %first.${n}, %released.${n} : index`,
          `memref.store %element.${n}, %at.${f}[%zero] : memref<1xindex>`,
        ];
      }
      case "aie.use_lock":
        return failAt(op.loc, op.name, `cannot be taken out of the array (${stringAttr(op, "action")})`);
      case "aie.end":
        return [];
      case "arith.constant": {
        const { value } = op.attrs;
        const endless = value?.kind === "int" && value.value > 2 ** 40;
        return endless ? [`${op.results[0]!.name} = arith.constant ${rounds} : index`] : undefined;
      }
      default:
        return undefined;
    }
  };
}

/**
 * A whole module in MLIR's generic form. Calls become ops that nobody knows: a tool looks for no function beyond `aie.device`,
 * which it does not know either. The calls themselves are checked with the bodies of cores.
 */
export const genericModule = (module: Op): string =>
  `${printOp(module, "", (op) => (op.name === "func.call" ? [printOp({ ...op, name: "aie.call" })] : undefined))}\n`;
