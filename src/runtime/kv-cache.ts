/**
 * Keys and values of the tokens so far. The tensors of one context bucket are allocated together, 64-byte aligned, and
 * handed to the backend as they are. Positions at or beyond `length` hold leftovers that attention masks and that the
 * next tokens overwrite, so forgetting tokens costs nothing.
 */

/** One cache tensor: `shape` of the bucket, and the axis along which tokens lie (2 of K [G,D,C], 1 of V [G,C,D]). */
export interface CacheLayout {
  readonly name: string;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly bytesPerElement: number;
}

/** Where caches live: zeroed, 64-byte aligned, and given back as soon as they are not needed any more. */
export interface CacheMemory {
  allocate(bytes: number): ArrayBuffer;
  release(buffer: ArrayBuffer): void;
}

interface CacheTensor extends CacheLayout {
  readonly bytes: Uint8Array;
  /** Elements of the axes before and after that of the tokens. */
  readonly outer: number;
  readonly inner: number;
}

const product = (sizes: readonly number[]): number => sizes.reduce((n, d) => n * d, 1);

export class KvCache {
  /** Tokens that fit. */
  readonly context: number;
  /** Bytes of all tensors. */
  readonly bytes: number;
  /** Tokens whose keys and values are held. */
  length = 0;
  /** The memory of each tensor, for a graph to read and write. */
  readonly arrays: Readonly<Record<string, Uint8Array>>;
  readonly #tensors: ReadonlyMap<string, CacheTensor>;
  readonly #memory: CacheMemory;

  /** @param layouts of one bucket; all hold the same number of tokens. */
  constructor(context: number, layouts: readonly CacheLayout[], memory: CacheMemory) {
    this.#memory = memory;
    const tensors = layouts.map((l): CacheTensor => {
      const bytes = new Uint8Array(memory.allocate(product(l.shape) * l.bytesPerElement));
      return { ...l, bytes, outer: product(l.shape.slice(0, l.axis)), inner: product(l.shape.slice(l.axis + 1)) };
    });
    this.context = context;
    this.bytes = tensors.reduce((n, t) => n + t.bytes.length, 0);
    this.arrays = Object.fromEntries(tensors.map((t) => [t.name, t.bytes]));
    this.#tensors = new Map(tensors.map((t) => [t.name, t]));
  }

  /** Forgets all tokens but the first `length`. */
  truncate(length: number): void {
    this.length = Math.min(this.length, length);
  }

  /**
   * Writes keys or values of `count` tokens at `position`, for a backend that returns them instead of writing them itself.
   * @param slice of the cache's shape with `rows` tokens, of which the first `count` are real.
   */
  write(name: string, slice: Uint8Array, rows: number, position: number, count: number): void {
    const t = this.#get(name);
    copyRows(slice, rows, 0, t.bytes, this.context, position, count, t);
  }

  /** Takes over the tokens of a smaller bucket. */
  adopt(smaller: KvCache): void {
    for (const t of this.#tensors.values())
      copyRows(smaller.#get(t.name).bytes, smaller.context, 0, t.bytes, this.context, 0, smaller.length, t);
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
