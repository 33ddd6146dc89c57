/** Hands out locks, channels and descriptors of tiles, and refuses what a tile does not have. */
import type { Loc } from "../../ir/error.ts";
import { failAt, type Tile } from "./design.ts";
import type { Bd, Buffer, Channel, Lock } from "./hardware.ts";
import type { MemRefType } from "./mlir/type.ts";

export const ordinal = (n: number): string => {
  const tail = n % 100 >= 11 && n % 100 <= 13 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${tail}`;
};

/** `@a, @b x 2`: who uses something, and how much of it. */
const users = (owners: readonly string[]): string =>
  [...new Set(owners)]
    .map((o) => [o, owners.filter((p) => p === o).length] as const)
    .map(([o, n]) => (n > 1 ? `${o} x ${n}` : o))
    .join(", ");

export class Resources {
  readonly buffers: Buffer[] = [];
  readonly locks: Lock[] = [];
  readonly channels: Channel[] = [];
  readonly #lockOwners = new Map<Tile, string[]>();

  buffer(tile: Tile, name: string, owner: string, type: MemRefType, loc: Loc, extra: Partial<Buffer> = {}): Buffer {
    const made = {
      initial: undefined,
      address: undefined,
      ...extra,
      id: this.buffers.length,
      name,
      tile,
      type,
      owner,
      loc,
    };
    this.buffers.push(made);
    return made;
  }

  /** @throws HeddleError naming the tile and all who use its locks. */
  lock(tile: Tile, name: string, owner: string, init: number, loc: Loc, full?: string): Lock {
    const owners = this.#lockOwners.get(tile) ?? [];
    this.#lockOwners.set(tile, owners);
    const { locks, lockMax } = tile.limits;
    if (owners.length === locks)
      failAt(
        loc,
        `${owner} on tile ${tile.name}`,
        `needs a ${ordinal(locks + 1)} lock; a ${tile.kind} tile has ${locks} (used by ${users(owners)})`,
      );
    if (init < 0 || init > lockMax)
      failAt(loc, `${owner} on tile ${tile.name}`, `a lock starts at ${init}; it counts from 0 to ${lockMax}`);
    owners.push(owner);
    const made = { id: this.locks.length, name, tile, init, full };
    this.locks.push(made);
    return made;
  }

  /** @param given the channel's index, where the text says it; the next free one otherwise. @throws HeddleError naming tile and owners. */
  channel(
    tile: Tile,
    direction: Channel["direction"],
    owner: string,
    loc: Loc,
    bds: readonly Bd[],
    { index: given, runs = 1 }: { index?: number; runs?: number } = {},
  ): Channel {
    const taken = this.channels.filter((c) => c.tile === tile && c.direction === direction);
    const limit = direction === "S2MM" ? tile.limits.s2mm : tile.limits.mm2s;
    const free = Array.from({ length: limit }, (_, i) => i).find((i) => !taken.some((c) => c.index === i));
    const subject = `${owner} on tile ${tile.name}`;
    if (free === undefined)
      failAt(
        loc,
        subject,
        `needs a ${ordinal(limit + 1)} ${direction} channel; a ${tile.kind} tile has ${limit} (used by ${users(taken.map((c) => c.owner))})`,
        "join FIFOs on a memory tile, or share memory with a neighbour",
      );
    const index = given ?? free!;
    if (index < 0 || index >= limit)
      failAt(
        loc,
        subject,
        `${direction} channel ${index} does not exist; a ${tile.kind} tile has channels 0 to ${limit - 1}`,
      );
    const other = taken.find((c) => c.index === index);
    if (other) failAt(loc, subject, `${direction} channel ${index} is used by ${other.owner}`);
    this.#descriptors(tile, index, owner, loc, bds.length);
    const made = { id: this.channels.length, tile, direction, index, owner, bds, runs, loc };
    this.channels.push(made);
    return made;
  }

  #descriptors(tile: Tile, index: number, owner: string, loc: Loc, more: number): void {
    const { bds, bdsPerParity } = tile.limits;
    const split = bdsPerParity < bds;
    const same = this.channels.filter((c) => c.tile === tile && (!split || c.index % 2 === index % 2));
    const owners = [...same, { owner, bds: { length: more } }].flatMap((c) =>
      Array.from({ length: c.bds.length }, () => c.owner),
    );
    if (owners.length <= bdsPerParity) return;
    const parity = split ? ` ${index % 2 === 0 ? "even" : "odd"} channels of` : "";
    failAt(
      loc,
      `${owner} on tile ${tile.name}`,
      `needs a ${ordinal(bdsPerParity + 1)} buffer descriptor;${parity} a ${tile.kind} tile ${split ? "have" : "has"} ${bdsPerParity} (asked for by ${users(owners)})`,
      "fewer elements per FIFO, or fewer parts per link",
    );
  }
}
