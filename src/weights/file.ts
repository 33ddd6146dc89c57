/** A file that is read piece by piece, at positions that the file itself names. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { HeddleError } from "../ir/error.ts";

export interface RangeFile {
  /** The name without its folder, for errors. */
  readonly name: string;
  readonly size: number;
  /** @throws HeddleError where the file ends before `position + length`. */
  read(position: number, length: number): Buffer<ArrayBuffer>;
  close(): void;
}

/** @throws HeddleError where there is no such file, it may not be read, or it is a folder or a device. */
export function openRanges(path: string): RangeFile {
  const fd = open(path);
  const name = basename(path);
  const stat = fstatSync(fd);
  if (!stat.isFile()) {
    closeSync(fd);
    throw new HeddleError("is not a file", { subject: path });
  }
  return {
    name,
    size: stat.size,
    read: (position, length) => {
      const into = Buffer.from(new ArrayBuffer(length));
      // One read may return less than asked for, and none more than 2 GiB.
      for (let done = 0; done < length; ) {
        const n = readSync(fd, into, done, Math.min(length - done, 1 << 30), position + done);
        if (n === 0) throw new HeddleError(`ended at byte ${position + done} while it was read`, { subject: name });
        done += n;
      }
      return into;
    },
    close: () => closeSync(fd),
  };
}

function open(path: string): number {
  try {
    return openSync(path, "r");
  } catch (e) {
    const { code, message } = e as NodeJS.ErrnoException;
    throw new HeddleError(code === "ENOENT" ? "there is no such file" : message, { subject: path });
  }
}
