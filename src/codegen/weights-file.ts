/** Writes `weights.bin`: one weight after the other, 64-byte aligned, hashed on the way. */
import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import type { WeightSource } from "../weights/source.ts";
import { materialize } from "./materialize.ts";
import type { WeightTable } from "./weights.ts";

/** Called after each weight, or piece of a large one, with the bytes written so far and in all. */
export type WeightProgress = (done: number, total: number) => void;

export interface WeightsFile {
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * The file appears under its name only when it is complete. Memory: about two weights at a time.
 * @throws HeddleError where a weight cannot be read or computed; then there is no file.
 */
export async function writeWeights(
  table: WeightTable,
  source: WeightSource,
  path: string,
  progress: WeightProgress = () => {},
): Promise<WeightsFile> {
  const temporary = `${path}.${process.pid}.tmp`;
  const hash = createHash("sha256");
  const file = await open(temporary, "w");
  try {
    let at = 0;
    let writing: Promise<unknown> = Promise.resolve();
    const put = async (bytes: Uint8Array) => {
      hash.update(bytes);
      // While the system writes one weight the next one is computed.
      await writing;
      writing = writeWhole(file, bytes, at);
      at += bytes.length;
    };
    let i = 0;
    for (const piece of materialize(table.weights, source, { inPieces: true })) {
      const { offset, bytes } = table.weights[i]!;
      if (offset > at) await put(new Uint8Array(offset - at));
      await put(piece);
      if (at === offset + bytes) i++;
      progress(at, table.bytes);
    }
    if (table.bytes > at) await put(new Uint8Array(table.bytes - at));
    await writing;
    await file.close();
    await rename(temporary, path);
    return { sha256: hash.digest("hex"), bytes: table.bytes };
  } catch (e) {
    await file.close().catch(() => {});
    await rm(temporary, { force: true });
    throw e;
  }
}

/** The system may write less than it is given: 2 GB at most, or what a disk that is almost full still takes. */
async function writeWhole(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
}
