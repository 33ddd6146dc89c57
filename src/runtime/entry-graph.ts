/** An entry point that can run, whatever executes it: what runners and sessions are given. */
import type { Manifest } from "../codegen/manifest.ts";

export type Entry = Manifest["entries"][number];
/** A graph with the buffers of everything but its caches. */
export interface EntryGraph {
  readonly entry: Entry;
  /** Tokens, position and last row, and what an earlier part of the program left, as bytes or floats: written before a run. */
  readonly inputs: Readonly<Record<string, Int32Array | Float32Array | Uint8Array>>;
  /** Logits, and as bytes slices and what a later part goes on from: read after it. */
  readonly outputs: Readonly<Record<string, Float32Array | Uint16Array | Uint8Array>>;
  /** @param caches memory of the cache inputs by name. It stays bound until `forgetCaches`. */
  run(caches: Readonly<Record<string, Uint8Array>>): Promise<void>;
}

/** The entry points of a program, made ready when they are first used. */
export interface Graphs {
  /** @throws HeddleError where graph file or context binary is damaged, QnnError where the backend refuses what is in it. */
  get(entry: Entry): Promise<EntryGraph>;
  /** Lets go of the caches of earlier runs, so that their memory can be freed. */
  forgetCaches(): void;
  close(): void;
}

/** What a run predicted: the graph's own buffer where that holds floats; joined and scaled where there are pieces in integers. */
export function logitsOf({ entry, outputs }: EntryGraph): Float32Array {
  const pieces = entry.outputs
    .filter((p) => p.role === "logits")
    .map((p) => ({ values: outputs[p.name]!, scale: p.encoding?.scale ?? 1, offset: p.encoding?.offset ?? 0 }));
  const [first] = pieces;
  if (pieces.length === 1 && first!.values instanceof Float32Array) return first!.values;
  const all = new Float32Array(pieces.reduce((n, p) => n + p.values.length, 0));
  let at = 0;
  for (const { values, scale, offset } of pieces)
    for (let i = 0; i < values.length; i++) all[at++] = (values[i]! + offset) * scale;
  return all;
}
