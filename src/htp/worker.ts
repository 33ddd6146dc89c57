/**
 * The process in which the vendor's compiler runs, started by `runJob`. A process of its own because compiling takes
 * gigabytes and minutes, because two SoCs compile at the same time on two cores, and because a crash in there must not take
 * the caller along.
 */
import { buildContext } from "./build-context.ts";
import { type Message, toPlain } from "./messages.ts";
import type { Job } from "./types.ts";

const send = (message: Message): Promise<void> =>
  new Promise((resolve) => process.send!(message, undefined, undefined, () => resolve()));

// The parent is gone: nobody wants the result, and the compiler cannot be told to stop.
process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));

process.once("message", async (job: Job) => {
  let last: Message;
  try {
    const result = await buildContext(job, (work, graph) => void send({ kind: "work", work, graph }));
    last = { kind: "done", result };
  } catch (error) {
    last = { kind: "failed", error: toPlain(error) };
  }
  await send(last);
  process.removeAllListeners("disconnect");
  process.disconnect();
});
