/** The runtime sequence, checked: transfers between the host's buffers and channels of the shim, and waits. */
import type { Loc } from "../../ir/error.ts";
import { wordDims } from "./descriptor.ts";
import { type Device, failAt } from "./design.ts";
import type { Channel, Hardware } from "./hardware.ts";
import { bodyOf, flagAttr, intAttr, intsAttr, type Op, symbolAttr } from "./mlir/op.ts";
import { bitsOf, count, type MemRefType } from "./mlir/type.ts";
import { type Dim, makePattern, type Pattern } from "./pattern.ts";

export type Instruction =
  | {
      readonly kind: "copy";
      readonly fifo: string;
      readonly channel: Channel;
      /** Position among the arguments of the sequence. */
      readonly argument: number;
      readonly id: number;
      readonly token: boolean;
      readonly pattern: Pattern;
      readonly loc: Loc;
    }
  | { readonly kind: "wait"; readonly fifo: string; readonly channel: Channel; readonly loc: Loc };

export interface Host {
  readonly name: string;
  readonly loc: Loc;
  readonly instructions: readonly Instruction[];
  /** Types of the buffers, in order. */
  readonly args: readonly { readonly name: string; readonly type: MemRefType }[];
}

/** @throws HeddleError naming FIFO, op and line. */
export function readHost(
  device: Device,
  hardware: Hardware,
  { name, op: sequence }: Device["sequences"][number],
): Host {
  const body = bodyOf(sequence);
  const args = body.args.map(({ name, type, loc }) =>
    type.kind === "memref" ? { name, type } : failAt(loc, `argument ${name}`, "is not a memref"),
  );
  const channelOf = (fifo: string, op: Op): Channel => {
    const known = hardware.host.get(fifo);
    if (known) return known;
    device.fifoOf(fifo, op);
    return failAt(op.loc, `${op.name} of @${fifo}`, "the FIFO has no end on the shim");
  };
  const instructions = body.ops.flatMap((op): Instruction[] => {
    if (op.name === "aiex.npu.dma_wait") {
      const fifo = symbolAttr(op, "symbol");
      return [{ kind: "wait", fifo, channel: channelOf(fifo, op), loc: op.loc }];
    }
    if (op.name === "aie.end") return [];
    if (op.name !== "aiex.npu.dma_memcpy_nd") return failAt(op.loc, op.name, "has no place in a runtime sequence");
    const fifo = symbolAttr(op, "metadata");
    const argument = body.args.indexOf(op.operands[0]!);
    if (argument < 0) failAt(op.loc, op.name, `${op.operands[0]!.name} is not an argument of the sequence`);
    const id = intAttr(op, "id");
    const channel = channelOf(fifo, op);
    const { bds } = channel.tile.limits;
    if (id < 0 || id >= bds)
      failAt(op.loc, `${op.name} of @${fifo}`, `a shim tile has buffer descriptors 0 to ${bds - 1}, not ${id}`);
    const pattern = transfer(op, fifo, args[argument]!.type, device);
    // What is written to the host always answers; what is read only if asked to.
    const token = flagAttr(op, "issue_token") || channel.direction === "S2MM";
    return [{ kind: "copy", fifo, channel, argument, id, token, pattern, loc: op.loc }];
  });
  return { name, loc: sequence.loc, instructions, args };
}

/** `[offsets][sizes][strides]`, outermost first: an iteration and three dimensions, in elements. */
function transfer(op: Op, fifo: string, type: MemRefType, { machine }: Device): Pattern {
  const subject = `${op.name} of @${fifo}`;
  const fail = (reason: string, hint?: string) => failAt(op.loc, subject, reason, hint);
  const [offsets, sizes, strides] = [
    intsAttr(op, "static_offsets"),
    intsAttr(op, "static_sizes"),
    intsAttr(op, "static_strides"),
  ];
  if (offsets.length !== 4 || sizes.length !== 4 || strides.length !== 4) fail("needs four offsets, sizes and strides");
  const elementBits = bitsOf(type.element);
  const offset = (offsets.reduce((n, o, i) => n + o * strides[i]!, 0) * elementBits) / 32;
  if (!Number.isInteger(offset)) fail(`begins at byte ${offset * 4}; DMAs move whole 32-bit words`);
  const dims = sizes.map((size, i): Dim => ({ size, stride: strides[i]! }));
  const words = wordDims({ dims, elementBits, subject, loc: op.loc });
  checkShim(
    words,
    machine.tiles.shim.wrapBits,
    machine.tiles.shim.stepBits,
    machine.iterationMax,
    machine.repeatMax,
    fail,
  );
  const last = offset + words.reduce((n, d) => n + (d.size - 1) * d.stride, 0);
  const size = (count(type.shape) * elementBits) / 32;
  if (offset < 0 || last >= size) fail(`touches words ${offset} to ${last} of a buffer of ${size}`);
  // Strides may overlap, so that few words are sent often.
  const total = count(words.map((d) => d.size));
  if (total >= 2 ** 31) fail(`moves ${total} words at once`);
  return makePattern(words, offset, total);
}

function checkShim(
  [iteration, d2, d1, d0]: readonly Dim[],
  wrapBits: number,
  stepBits: number,
  iterationMax: number,
  repeatMax: number,
  fail: (reason: string, hint?: string) => never,
): void {
  const wrapMax = 2 ** wrapBits - 1;
  const stepMax = 2 ** stepBits;
  // A transfer of neighbours needs no dimensions, only a length.
  const linear = d2!.size === 1 && d1!.size === 1 && d0!.stride === 1;
  for (const [name, d] of [
    ["innermost", d0!],
    ["second", d1!],
  ] as const)
    if (!linear && d.size > wrapMax)
      fail(
        `its ${name} dimension has ${d.size} words or steps; the wrap has ${wrapBits} bits (at most ${wrapMax})`,
        "split it into two dimensions",
      );
  if (iteration!.stride === 0) {
    if (iteration!.size > repeatMax + 1) fail(`repeats ${iteration!.size} times; at most ${repeatMax + 1}`);
  } else if (iteration!.size > iterationMax) fail(`iterates ${iteration!.size} times; at most ${iterationMax}`);
  for (const [i, d] of [iteration!, d2!, d1!, d0!].entries()) {
    if (d.size > 1 && d.stride > stepMax)
      fail(`a stride of ${d.stride} words is more than ${stepBits} bits hold (at most ${stepMax})`);
    if (i > 0 && d.size > 1 && d.stride === 0) fail("only the outermost dimension may have a stride of 0");
  }
}
