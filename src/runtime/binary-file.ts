/** Context binaries as files: written in pieces, because a write takes at most 2 GiB, and known by their hash. */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";

/** Size and content of a file. */
export interface BinaryFile {
  readonly bytes: number;
  readonly sha256: string;
}

const piece = 16 << 20;

/** Writes a new file. @throws Error where it exists or there is no room. */
export function writeBinary(path: string, binary: Uint8Array): BinaryFile {
  const hash = createHash("sha256");
  const file = openSync(path, "wx");
  try {
    for (let done = 0; done < binary.length; ) {
      const part = binary.subarray(done, done + piece);
      const written = writeSync(file, part);
      hash.update(part.subarray(0, written));
      done += written;
    }
  } finally {
    closeSync(file);
  }
  return { bytes: binary.length, sha256: hash.digest("hex") };
}

/** Size and hash of a file. @throws Error where it cannot be read. */
export function hashBinary(path: string): BinaryFile {
  const hash = createHash("sha256");
  const file = openSync(path, "r");
  try {
    const buffer = new Uint8Array(piece);
    let bytes = 0;
    for (;;) {
      const count = readSync(file, buffer);
      if (count === 0) return { bytes, sha256: hash.digest("hex") };
      hash.update(buffer.subarray(0, count));
      bytes += count;
    }
  } finally {
    closeSync(file);
  }
}
