/** Products and attention on one array: who has which rows, channels and memory. */
import type { AieMachine } from "../../../targets/aie-machine.ts";

/**
 * Rows of the array beside those of products. Their cores work together as those of a column do elsewhere: the shim has channels left
 * for one stream of keys and one of values, which come through the memory tiles of the last two columns.
 */
export interface Band {
  readonly firstRow: number;
  readonly rows: number;
  /** Heads that have cores of their own at a time: what channels those memory tiles have left. */
  readonly heads: number;
  /** What attention has of a memory tile. */
  readonly memoryBytes: number;
}

/** Attention keeps panels of keys for a head or two, products whole blocks of operands and results: it has three eighths. */
const share = 3 / 8;

/**
 * What products have of the array, and attention beside them; undefined where there are too few columns. Rows of A come through as
 * many columns as products have rows, and leave two of them to keys and values; results leave through a channel for each.
 */
export function besideAttention(
  machine: AieMachine,
): { readonly machine: AieMachine; readonly band: Band } | undefined {
  const known = parts.get(machine);
  if (known) return known;
  const compute = machine.rows - 2;
  const rows = Math.min(compute - 1, machine.columns - 2);
  if (rows < 1) return undefined;
  const { memory, shim } = machine.tiles;
  const memoryBytes = share * memory.memoryBytes;
  const tiles = {
    ...machine.tiles,
    memory: { ...memory, memoryBytes: memory.memoryBytes - memoryBytes },
    shim: { ...shim, s2mm: shim.s2mm - 1 },
  };
  // Those memory tiles send weights to every row, and the results of their column: what is left are heads.
  const heads = Math.min(memory.mm2s - rows - 1, machine.columns - 2);
  const made = {
    machine: { ...machine, rows: 2 + rows, tiles },
    band: { firstRow: 2 + rows, rows: compute - rows, heads, memoryBytes },
  };
  parts.set(machine, made);
  return made;
}

/** Parts of the same machine are the same, so that plans for them are known by it. */
const parts = new WeakMap<AieMachine, { readonly machine: AieMachine; readonly band: Band }>();
