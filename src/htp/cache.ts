/**
 * What the vendor's compiler made before, found by what it was made from. An entry is a folder that is renamed into place when it is
 * whole, so that readers, writers and killed writers never meet half of one. What is read is checked against its hash.
 */
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isRunning } from "../codegen/leftovers.ts";
import { hashBinary } from "../runtime/binary-file.ts";
import type { JobResult } from "./types.ts";

const resultFile = "result.json";
const binaryFile = "context.bin";
/** Raised when entries mean something else than before. */
const version = 1;

export interface CacheOptions {
  /** Default `$HEDDLE_CACHE`, or `.cache/htp` beside the project's package.json. */
  readonly folder?: string;
  /** Bytes to keep; what was not used for longest goes first. Default 8 GB. */
  readonly limit?: number;
}

/** Key of everything that a result depends on. Equal parts give equal keys whatever the order of their fields. */
export function cacheKey(parts: Readonly<Record<string, unknown>>): string {
  const sorted = Object.entries({ ...parts, version }).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex");
}

/** The content of a QNN graph. Lines of the graph file are left out: a comment above a node changes nothing. */
export function graphFingerprint(text: string): string {
  const content = JSON.stringify(JSON.parse(text), (name, value) => (name === "loc" ? undefined : value));
  return createHash("sha256").update(content).digest("hex");
}

let serial = 0;

export class ContextCache {
  readonly folder: string;
  readonly #limit: number;

  constructor({ folder, limit = 8e9 }: CacheOptions = {}) {
    this.folder = folder ?? process.env.HEDDLE_CACHE ?? fileURLToPath(new URL("../../.cache/htp", import.meta.url));
    this.#limit = limit;
  }

  /**
   * Looks a result up, and puts its binary at `to` where it has one: as a link, or as a copy on another disk.
   * @returns nothing where there is none. One that is damaged is removed.
   */
  take(key: string, to?: string): JobResult | undefined {
    try {
      if (to !== undefined) linkOrCopy(join(this.folder, key, binaryFile), to);
    } catch {
      return undefined; // there is none
    }
    const result = this.#read(key, to);
    if (!result && to !== undefined) rmSync(to, { force: true });
    return result;
  }

  /** @param binary a path of the entry's binary, which is compared with its hash */
  #read(key: string, binary?: string): JobResult | undefined {
    const entry = join(this.folder, key);
    try {
      const result = JSON.parse(readFileSync(join(entry, resultFile), "utf8")) as JobResult;
      if (binary !== undefined && hashBinary(binary).sha256 !== result.binary?.sha256) throw new Error("damaged");
      utimesSync(entry, new Date(), new Date());
      return result;
    } catch {
      // Never there, being removed by another process, or damaged.
      remove(entry);
      return undefined;
    }
  }

  /** Path of the binary of an entry that is whole. */
  find(key: string): string | undefined {
    const path = join(this.folder, key, binaryFile);
    return this.#read(key, path) && path;
  }

  /**
   * A new folder on the cache's disk for binaries that `put` will take; what a process that dies leaves in it is removed later.
   * @returns nothing where the cache cannot be written to
   */
  scratch(): string | undefined {
    const folder = join(this.folder, `scratch.${process.pid}.${serial++}.tmp`);
    try {
      mkdirSync(folder, { recursive: true });
      return folder;
    } catch {
      return undefined;
    }
  }

  /** Keeps a result, with the binary of `from`. A cache that cannot be written to (full, read-only) keeps nothing. */
  put(key: string, result: JobResult, from?: string): void {
    const temporary = join(this.folder, `${key}.${process.pid}.${serial++}.tmp`);
    try {
      mkdirSync(temporary, { recursive: true });
      if (from !== undefined) linkOrCopy(from, join(temporary, binaryFile));
      writeFileSync(join(temporary, resultFile), JSON.stringify(result));
      renameSync(temporary, join(this.folder, key));
    } catch {
      // Another process may have put the same entry: theirs is as good.
      remove(temporary);
    }
    this.#tidy();
  }

  /** Removes what killed writers left, and the entries used longest ago until the rest fits. */
  #tidy(): void {
    if (!existsSync(this.folder)) return;
    const entries = readdirSync(this.folder).flatMap((name) => {
      const path = join(this.folder, name);
      const writer = /\.(\d+)\.\d+\.tmp$/.exec(name)?.[1];
      if (writer !== undefined) {
        if (Number(writer) !== process.pid && !isRunning(Number(writer))) remove(path);
        return [];
      }
      try {
        const bytes = readdirSync(path).reduce((sum, file) => sum + statSync(join(path, file)).size, 0);
        return [{ path, bytes, used: statSync(path).mtimeMs }];
      } catch {
        return []; // removed by another process
      }
    });
    let bytes = entries.reduce((sum, e) => sum + e.bytes, 0);
    for (const entry of entries.sort((a, b) => a.used - b.used)) {
      if (bytes <= this.#limit) break;
      remove(entry.path);
      bytes -= entry.bytes;
    }
  }
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

/** Whatever keeps something from being removed keeps the cache from being tidy, and nothing else. */
function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {}
}
