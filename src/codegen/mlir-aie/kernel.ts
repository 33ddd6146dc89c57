/**
 * What a code generator for the array delivers for one op, or a few ops in one: the text of a design, and how the values of the
 * graph lie in the buffers of its runtime sequence. Everything that is not a kernel stays on the host.
 */
import type { Node } from "../../ir/node.ts";
import type { DType } from "../../ir/type.ts";
import type { AieMachine } from "../../targets/aie-machine.ts";
import type { AttentionShape } from "./kernels/attention.ts";
import type { GemmShape } from "./kernels/gemm-shape.ts";
import type { Tiling } from "./tiling.ts";

/** One argument of the design's runtime sequence. */
export interface AieBuffer {
  /** What it holds: an operand of the kernel, by index, or the kernel's result. */
  readonly holds: number | "result";
  /** Element type in the buffer. The host converts: floats round to nearest, ties to even. */
  readonly dtype: DType;
  /** Row-major shape in the buffer: that of the value, or larger where an axis is padded; the host fills padding with zeros. */
  readonly shape: readonly number[];
  /** Where the value lies in the buffer in another order than its own; the buffer's shape is then its size alone. */
  readonly tiling?: Tiling;
  /**
   * For an operand that is a weight: the weight as it is stored, of type `dtype` and `shape`, as an expression over it (transpose,
   * reshape, cast ...), for a linear with what is packed into it beside the weight. Computed once, when the program is compiled.
   */
  readonly pack?: (weight: Node, columns?: ColumnValues) => Node;
  /**
   * For an operand: the fixed point in which its floats lie in the buffer. Of `u16` the buffer has two planes of bytes, h and l of
   * 256 (h + 128) + (l + 128); its tiling has them as first axis.
   */
  readonly fixed?: FixedPoint;
  /** Whole numbers right behind the value, in its padding: what the kernel is told besides, from 0 to 127. */
  readonly behind?: readonly number[];
}

/** real = (q + offset) * scale. */
export interface FixedPoint {
  readonly dtype: "i8" | "u16";
  readonly scale: number;
  readonly offset: number;
}

/** Values of a product's columns that travel with its weights, each [n]. */
export interface ColumnValues {
  /** Of a product in bf16: f32. */
  readonly bias?: Node | undefined;
  /** Of a product of integers that yields floats: i32 that sums start with, one for each byte of an element; and f32 scales. */
  readonly starts?: readonly Node[];
  readonly scales?: Node;
  /** And what no sum exceeds in magnitude, whatever the rows are, of either byte: f32. */
  readonly largest?: Node;
}

export interface AieKernel {
  /** From op, shapes and choices: kernels of equal names are equal. A file name and an MLIR symbol: [a-z0-9_]. */
  readonly name: string;
  /** The kernel with a design for itself. @throws HeddleError where the array has no room for it. */
  alone(): DesignedKernel;
  /** What it is, where it may be part of a design that other kernels share. */
  readonly part?: KernelPart;
  /** An argument as this use of the kernel has it: with its own weights beside the operand's, in its own fixed point. */
  readonly dress?: (b: AieBuffer) => AieBuffer;
}

/** What a kernel computes, for who decides which kernels share the array. `about` is for people: the op, the line of the source. */
export type KernelPart = { readonly about: readonly string[] } & (
  | { readonly product: GemmShape }
  | { readonly attention: AttentionShape }
);

/** A kernel in a design. */
export interface DesignedKernel {
  readonly design: DesignFile;
  /** Modelled time of a run, with its dispatch. */
  readonly seconds?: number;
  /** Arguments of its runtime sequence, in order. */
  readonly buffers: readonly AieBuffer[];
}

/** A configuration of the array with a runtime sequence for every kernel that it serves, of the kernel's name. */
export interface DesignFile {
  /** A file name and an MLIR symbol. */
  readonly name: string;
  /** A whole `.mlir` file. */
  readonly text: string;
  /** What was decided, for people: tiles, memories, buffers, FIFOs, sequences, modelled time. */
  readonly plan?: string;
}

/** A kernel in place of a node: it reads `operands`, and whatever lies between them and the node is computed on the array. */
export interface AieMatch {
  readonly kernel: AieKernel;
  readonly operands: readonly Node[];
}

/** Makes the kernel that computes a node with bound sizes; or says in words why the node stays on the host. */
export type AieKernelMaker = (n: Node, machine: AieMachine) => AieMatch | { readonly host: string };

/** What the array does with an op: makes kernels of it, or leaves it to the host without asking. */
export type AieLowering = { readonly kernel: AieKernelMaker } | { readonly host: true };
