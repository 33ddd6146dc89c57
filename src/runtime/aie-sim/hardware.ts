/** What a design uses of the array once its FIFOs are lowered: buffers, locks, DMA channels with their programs, and flows. */
import type { Loc } from "../../ir/error.ts";
import type { Tile } from "./design.ts";
import type { Value } from "./mlir/op.ts";
import type { MemRefType } from "./mlir/type.ts";
import type { Pattern } from "./pattern.ts";

export interface Buffer {
  readonly id: number;
  readonly name: string;
  readonly tile: Tile;
  readonly type: MemRefType;
  readonly initial: readonly number[] | undefined;
  readonly address: number | undefined;
  /** What errors and budgets count it under: `@in`, or its own name. */
  readonly owner: string;
  readonly loc: Loc;
}

export interface Lock {
  readonly id: number;
  readonly name: string;
  readonly tile: Tile;
  readonly init: number;
  /** The FIFO whose full elements it counts. */
  readonly full: string | undefined;
}

export interface LockUse {
  readonly lock: Lock;
  readonly count: number;
}

/** A buffer descriptor. */
export interface Bd {
  readonly buffer: Buffer;
  readonly pattern: Pattern;
  readonly acquire: LockUse | undefined;
  readonly release: LockUse | undefined;
  /** Which descriptor follows; undefined where the task ends. */
  readonly next: number | undefined;
  readonly loc: Loc;
}

export interface Channel {
  readonly id: number;
  readonly tile: Tile;
  readonly direction: "S2MM" | "MM2S";
  readonly index: number;
  /** `@in`, or `DMA program`. */
  readonly owner: string;
  /** The first one begins. A channel of the shim has none: the runtime sequence gives it tasks. */
  readonly bds: readonly Bd[];
  /** How often a program that ends runs. */
  readonly runs: number;
  readonly loc: Loc;
}

/** From one channel to one or, by broadcast, to several. */
export interface Flow {
  readonly source: Channel;
  readonly dests: readonly Channel[];
}

export type Side = "Produce" | "Consume";

/** One end of a FIFO, as a core uses it. */
export interface Port {
  readonly id: number;
  readonly fifo: string;
  readonly side: Side;
  readonly tile: Tile;
  readonly buffers: readonly Buffer[];
  readonly acquire: Lock;
  readonly release: Lock;
  /** Locks per element: the repeat count of a producer. */
  readonly factor: number;
}

export interface Hardware {
  readonly buffers: readonly Buffer[];
  readonly locks: readonly Lock[];
  readonly channels: readonly Channel[];
  readonly flows: readonly Flow[];
  readonly ports: readonly Port[];
  /** The shim's channel of a FIFO by name. */
  readonly host: ReadonlyMap<string, Channel>;
  /** What `aie.buffer` and `aie.lock` yield. */
  readonly bufferOf: ReadonlyMap<Value, Buffer>;
  readonly lockOf: ReadonlyMap<Value, Lock>;
}
