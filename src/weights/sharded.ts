/**
 * Weights in several safetensors files: `model.safetensors.index.json` says which tensor is in which file
 * (`{"weight_map": {name: file}}`). The index is as little to be trusted as any file: shards lie beside it and nowhere else.
 */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { HeddleError } from "../ir/error.ts";
import { openSafeTensors, type SafeTensors } from "./safetensors.ts";
import type { TensorEntry } from "./safetensors-header.ts";

/** The files that an index names, in order, without their folder. @throws HeddleError for anything but names of files beside it. */
export function shardsOf(index: string, content: Readonly<Record<string, unknown>>): Map<string, string> {
  const refuse = (reason: string): never => {
    throw new HeddleError(reason, { subject: basename(index), hint: "fetch the index again, with all its files" });
  };
  const map = content.weight_map;
  if (typeof map !== "object" || map === null || Array.isArray(map)) return refuse("has no weight_map");
  const shards = new Map<string, string>();
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== "string") return refuse(`names no file for ${tensor}`);
    if (file !== basename(file) || file.includes("\\") || !file.endsWith(".safetensors"))
      return refuse(`looks for ${tensor} in ${JSON.stringify(file)}, which is no .safetensors file beside it`);
    shards.set(tensor, file);
  }
  return shards.size > 0 ? shards : refuse("has an empty weight_map");
}

/** All shards as one file. @throws HeddleError where one is missing, unsound, or has not what the index says. */
export function openSharded(index: string, content: Readonly<Record<string, unknown>>): SafeTensors {
  const shards = shardsOf(index, content);
  const files = new Map<string, SafeTensors>();
  const close = () => {
    for (const file of files.values()) file.close();
  };
  try {
    for (const name of new Set(shards.values())) files.set(name, openShard(index, name));
    const tensors = new Map<string, TensorEntry>();
    for (const [tensor, shard] of shards) {
      const entry = files.get(shard)!.tensors.get(tensor);
      if (!entry)
        throw new HeddleError(`is said to hold ${tensor} but does not`, {
          subject: shard,
          hint: `the index ${basename(index)} is of another checkpoint`,
        });
      tensors.set(tensor, entry);
    }
    const fileOf = (name: string) => files.get(shards.get(name)!)!;
    return {
      file: basename(index),
      tensors,
      read: (name) => fileOf(name).read(name),
      readRows: (name, start, count) => fileOf(name).readRows(name, start, count),
      close,
    };
  } catch (e) {
    close();
    throw e;
  }
}

function openShard(index: string, name: string): SafeTensors {
  const path = join(dirname(index), name);
  if (!existsSync(path))
    throw new HeddleError("is missing", {
      subject: name,
      hint: `${basename(index)} names it: fetch it into the same folder`,
    });
  return openSafeTensors(path);
}
