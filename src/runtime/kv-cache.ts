/**
 * Keys and values of the tokens so far. The tensors of one context bucket are allocated together, 64-byte aligned, and
 * handed to the backend as they are. Positions at or beyond `length` hold leftovers that attention masks and that the
 * next tokens overwrite, so forgetting tokens costs nothing.

 *
 * Layers whose attention sees a window of tokens have rings: they hold fewer tokens than the bucket, position p at place p modulo
 * their size. What has been overwritten cannot be gone back to.
 */

/** One cache tensor: `shape` of the bucket, and the axis along which tokens lie (2 of K [G,D,C], 1 of V [G,C,D]). */
export interface CacheLayout {
  readonly name: string;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly bytesPerElement: number;
  /** Tokens that attention sees of it; absent where all. */
  readonly window?: number;
}

/** Where caches live: zeroed, 64-byte aligned, and given back as soon as they are not needed any more. */
export interface CacheMemory {
  allocate(bytes: number): ArrayBuffer;
  release(buffer: ArrayBuffer): void;
}

interface CacheTensor extends CacheLayout {
  readonly bytes: Uint8Array;
  /** Tokens that fit: the context, or those of a ring. */
  readonly places: number;
  /** Elements of the axes before and after that of the tokens. */
  readonly outer: number;
  readonly inner: number;
  /** Positions before this one have been overwritten. */
  lost: number;
}

/** Whether a run of `rows` tokens goes round; a smaller cache drops what would lie beyond its end. */
const isRing = ({ places, window = 0 }: CacheTensor, rows: number): boolean =>
  window > 0 && places >= window + rows - 1;

const product = (sizes: readonly number[]): number => sizes.reduce((n, d) => n * d, 1);

export class KvCache {
  /** Tokens that fit. */
  readonly context: number;
  /** Bytes of all tensors. */
  readonly bytes: number;
  /** Tokens whose keys and values are held, in rings the last of them. */
  length = 0;
  /** The memory of each tensor, for a graph to read and write. */
  readonly arrays: Readonly<Record<string, Uint8Array>>;
  readonly #tensors: ReadonlyMap<string, CacheTensor>;
  readonly #memory: CacheMemory;

  /** @param layouts of one bucket; all but rings hold `context` tokens. */
  constructor(context: number, layouts: readonly CacheLayout[], memory: CacheMemory) {
    this.#memory = memory;
    const tensors = layouts.map((l): CacheTensor => {
      const bytes = new Uint8Array(memory.allocate(product(l.shape) * l.bytesPerElement));
      const places = l.shape[l.axis]!;
      return {
        ...l,
        bytes,
        places,
        outer: product(l.shape.slice(0, l.axis)),
        inner: product(l.shape.slice(l.axis + 1)),
        lost: 0,
      };
    });
    this.context = context;
    this.bytes = tensors.reduce((n, t) => n + t.bytes.length, 0);
    this.arrays = Object.fromEntries(tensors.map((t) => [t.name, t.bytes]));
    this.#tensors = new Map(tensors.map((t) => [t.name, t]));
  }

  /**
   * Forgets all tokens but the first `length`, or all where a ring has lost what the next token would see.
   * @returns how many are left.
   */
  truncate(length: number): number {
    const left = Math.min(this.length, length);
    const tensors = [...this.#tensors.values()];
    const kept = tensors.some((t) => Math.max(0, left - (t.window ?? 0) + 1) < t.lost) ? 0 : left;
    if (kept === 0) for (const t of tensors) t.lost = 0;
    this.length = kept;
    return kept;
  }

  /** Notes that a run of `rows` tokens, of which `count` are real, was written behind those that are held. */
  append(rows: number, count: number): void {
    for (const t of this.#tensors.values())
      if (isRing(t, rows)) t.lost = Math.max(t.lost, this.length + rows - t.places);
    this.length += count;
  }

  /**
   * Writes keys or values of `count` tokens at `position`, for a backend that returns them instead of writing them itself.
   * @param slice of the cache's shape with `rows` tokens, of which the first `count` are real.
   */
  write(name: string, slice: Uint8Array, rows: number, position: number, count: number): void {
    const t = this.#get(name);
    const place = t.window ? position % t.places : position;
    const first = Math.min(count, t.places - place);
    copyRows(slice, rows, 0, t.bytes, t.places, place, first, t);
    if (t.window) copyRows(slice, rows, first, t.bytes, t.places, 0, count - first, t);
  }

  /** Takes over the tokens of a smaller bucket. A ring that is as large there is copied as it lies. */
  adopt(smaller: KvCache): void {
    for (const t of this.#tensors.values()) {
      const from = smaller.#get(t.name);
      const rows = from.places === t.places ? t.places : Math.min(smaller.length, from.places);
      copyRows(from.bytes, from.places, 0, t.bytes, t.places, 0, rows, t);
      t.lost = from.lost;
    }
    this.length = smaller.length;
  }

  /** Gives the memory back. The cache must not be used any more. */
  free(): void {
    for (const t of this.#tensors.values()) this.#memory.release(t.bytes.buffer as ArrayBuffer);
  }

  #get(name: string): CacheTensor {
    const t = this.#tensors.get(name);
    if (!t) throw new Error(`there is no cache called ${name}`);
    return t;
  }
}

/** Copies `count` tokens between tensors that differ in how many they hold: one contiguous run per index before their axis. */
function copyRows(
  from: Uint8Array,
  fromRows: number,
  fromRow: number,
  to: Uint8Array,
  toRows: number,
  toRow: number,
  count: number,
  { outer, inner, bytesPerElement }: CacheTensor,
): void {
  const row = inner * bytesPerElement;
  for (let o = 0; o < outer; o++) {
    const start = (o * fromRows + fromRow) * row;
    to.set(from.subarray(start, start + count * row), (o * toRows + toRow) * row);
  }
}
