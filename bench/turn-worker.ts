/** The child of `bench/turns.ts`: becomes one contestant, then does what it is told and says how long it took. */
import { type Contestant, type ContestantTask, heddle, llamaCpp } from "./contestants.ts";
import { peakMemory } from "./paired.ts";
import type { Order } from "./turns.ts";

const task = JSON.parse(process.argv[2] ?? "{}") as ContestantTask;
const contestant: Contestant = await (task.who === "heddle" ? heddle(task) : llamaCpp(task));

process.on("message", async ({ decode }: Order) => {
  const ms = decode === undefined ? [await contestant.prefill()] : await contestant.decode(decode);
  process.send!({ ms, peakBytes: peakMemory() });
});
process.send!({ ms: [], peakBytes: peakMemory() });
