/** Compiling for some context sizes only: a vendor's compiler takes time and memory for each. */
import { InvalidArgumentError } from "commander";
import { HeddleError } from "../../ir/error.ts";
import type { Module } from "../../ir/program.ts";

/** `256` or `64,1024`: sizes of caches. */
export function contextList(text: string): number[] {
  const sizes = text.split(",").map(Number);
  if (!sizes.every((n) => Number.isSafeInteger(n) && n > 0))
    throw new InvalidArgumentError("expected a context size such as 256, or several such as 64,1024.");
  return sizes;
}

/** The module with the entry points of these contexts alone. @throws HeddleError for one that it has none of. */
export function withContexts(module: Module, contexts: readonly number[] | undefined): Module {
  if (!contexts) return module;
  const known = [...new Set(module.entries.flatMap((e) => e.bind.C ?? []))];
  const unknown = contexts.filter((c) => !known.includes(c));
  if (unknown.length > 0)
    throw new HeddleError(`has no context of ${unknown.join(", ")} tokens`, {
      subject: "--contexts",
      hint: known.length > 0 ? `there are ${known.join(", ")}` : "only programs with the pass kv-cache have contexts",
    });
  return { ...module, entries: module.entries.filter((e) => contexts.includes(e.bind.C!)) };
}
