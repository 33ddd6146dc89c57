/**
 * A configuration of the array as data: objectFIFOs, links, cores, and the runtime sequences that it serves. Kernels build one, `emit`
 * writes it down as MLIR without deciding anything, `budget` counts what it takes of each tile.
 */
import type { Body } from "./body.ts";
import type { Mem } from "./mem.ts";

export { byteSize, bytesOf, type Element, type Mem, mem, showMem, sizeOf } from "./mem.ts";

/** Column and row; row 0 is the shim, row 1 the memory tiles. */
export interface Tile {
  readonly col: number;
  readonly row: number;
}
export const tileName = ({ col, row }: Tile): string =>
  row === 0 ? `shim_${col}` : row === 1 ? `mem_${col}` : `core_${col}_${row}`;

/** One dimension of a DMA access pattern, outermost first; in elements. */
export interface Dim {
  readonly size: number;
  readonly stride: number;
}

export interface Fifo {
  readonly name: string;
  readonly from: Tile;
  readonly to: readonly Tile[];
  /** Objects that each end holds, or the producer and every consumer. */
  readonly depth: number | readonly number[];
  readonly object: Mem;
  /** How the producer's DMA walks an object. */
  readonly toStream?: readonly Dim[];
  /** How often a memory tile sends every object: once where it is not said. */
  readonly repeat?: number;
  /** What travels, for people. */
  readonly carries: string;
}

/** A memory tile passes objects on. Several inputs join at `offsets`; several outputs take the parts that start at `offsets`. */
export interface Link {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly offsets: readonly number[];
}

/** A buffer of a core that no DMA touches. */
export interface Local {
  readonly name: string;
  readonly type: Mem;
}

export interface Core {
  readonly tile: Tile;
  readonly stack: number;
  readonly locals: readonly Local[];
  /** FIFOs by the names that the program uses. */
  readonly ports: Readonly<Record<string, string>>;
  /** Writes one pass of the program; the emitter repeats it for ever. */
  readonly program: (b: Body) => void;
}

/** A buffer in main memory that a run is given, in order. */
export interface Arg {
  readonly name: string;
  readonly role: "in" | "weight" | "out";
  readonly type: Mem;
}

export type Step =
  | {
      readonly kind: "copy";
      readonly arg: number;
      readonly fifo: string;
      readonly id: number;
      readonly offset: number;
      /** Four dimensions, outermost first. */
      readonly dims: readonly Dim[];
      /** Whether `wait` may wait for it. */
      readonly token: boolean;
    }
  | { readonly kind: "wait"; readonly fifo: string };

/** One way to run a configuration: a runtime sequence and the buffers that it is given. */
export interface Run {
  /** The kernel's name, a valid identifier. */
  readonly name: string;
  readonly args: readonly Arg[];
  readonly sequence: readonly Step[];
}

export interface Design {
  /** A valid identifier. */
  readonly name: string;
  /** Lines of comment at the top: which op, from which line of the source, and the plan. */
  readonly about: readonly string[];
  readonly device: string;
  readonly fifos: readonly Fifo[];
  readonly links: readonly Link[];
  readonly cores: readonly Core[];
  readonly runs: readonly Run[];
}
