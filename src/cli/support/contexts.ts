/** Sizes of caches that the caller wants: a vendor's compiler takes time and memory for each, and long ones take room. */
import { InvalidArgumentError } from "commander";
import type { LoadedProgram } from "../../frontend/load.ts";
import { HeddleError } from "../../ir/error.ts";
import type { ModelInfo } from "../../ir/program.ts";
import { cacheBlock, wholeBlocks } from "../../passes/entries.ts";
import { kvCache } from "../../passes/kv-cache.ts";

/** `256` or `64,1024`: sizes of caches, ascending. */
export function contextList(text: string): number[] {
  const sizes = text.split(",").map(Number);
  if (!sizes.every((n) => Number.isSafeInteger(n) && n > 0))
    throw new InvalidArgumentError("expected a context size such as 256, or several such as 64,1024.");
  return [...new Set(sizes)].sort((a, b) => a - b);
}

/** @throws HeddleError for a size that no cache has, or that the model has no positions for, or a program without a cache. */
export function checkContexts(
  contexts: readonly number[],
  { name, passes }: LoadedProgram,
  { positions }: ModelInfo,
): void {
  const subject = "--contexts";
  if (!passes.includes(kvCache))
    throw new HeddleError(`program ${name} keeps no context`, {
      subject,
      hint: "only programs with the pass kv-cache have contexts",
    });
  const odd = contexts.find((c) => c % cacheBlock !== 0);
  if (odd !== undefined)
    throw new HeddleError(`a cache cannot have ${odd} places`, {
      subject,
      hint: `multiples of ${cacheBlock}, such as ${wholeBlocks(odd)}`,
    });
  const long = contexts.find((c) => c > wholeBlocks(positions));
  if (long !== undefined)
    throw new HeddleError(`the model has no ${long} positions`, { subject, hint: `${wholeBlocks(positions)} at most` });
}
