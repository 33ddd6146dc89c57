/** Contestants in processes of their own that run in turns, so that what else a machine does disturbs them alike. */
import { type ChildProcess, fork } from "node:child_process";
import type { ContestantTask } from "./contestants.ts";

/** What a contestant is told: to make tokens, or else to read its prompt. */
export interface Order {
  readonly decode?: number;
}
export interface Answer {
  readonly ms: readonly number[];
  readonly peakBytes: number;
}

export interface Player {
  play(order: Order): Promise<Answer>;
  close(): void;
}

/** @throws Error with what the process wrote to stderr, where it ends before it is ready or while it plays. */
export async function startPlayer(task: ContestantTask): Promise<Player> {
  const child = fork("bench/turn-worker.ts", [JSON.stringify(task)], {
    execArgv: ["--import", "tsx"],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let errors = "";
  child.stderr!.on("data", (text) => (errors += text));
  await answerOf(child, task.who, () => errors);
  return {
    play: (order) => {
      const answer = answerOf(child, task.who, () => errors);
      child.send(order);
      return answer;
    },
    close: () => child.kill(),
  };
}

function answerOf(child: ChildProcess, who: string, errors: () => string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`${who} ended with ${code}\n${errors()}`));
    child.once("exit", ended);
    child.once("message", (answer) => {
      child.off("exit", ended);
      resolve(answer as Answer);
    });
  });
}
