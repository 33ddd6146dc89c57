/** The runtime sequence: queues transfers on channels of the shim and waits for them, as the host's controller does. */
import { HeddleError, showLoc } from "../../../ir/error.ts";
import type { Instruction } from "../host.ts";
import { overlap } from "../pattern.ts";
import type { Reason } from "./actor.ts";
import type { ChannelState, HostActor, Task } from "./stream.ts";

type Copy = Extract<Instruction, { kind: "copy" }>;

/** Cycles that the controller needs to write a descriptor and start it; modelled. */
const issue = 100;

export class SequenceActor implements HostActor {
  readonly name = "the runtime sequence";
  blocked = false;
  time = 0;
  /** Every task that was queued. */
  readonly tasks: {
    readonly task: Task;
    readonly channel: ChannelState;
    readonly from: Copy;
    awaited: boolean;
  }[] = [];
  readonly #instructions: readonly Instruction[];
  readonly #channel: (id: number) => ChannelState;
  readonly #words: readonly Int32Array[];
  readonly #queue: number;
  #next = 0;

  /** @param words the host's buffers. @param queue tasks that a channel holds besides the one it runs. */
  constructor(
    instructions: readonly Instruction[],
    channel: (id: number) => ChannelState,
    words: readonly Int32Array[],
    queue: number,
  ) {
    this.#instructions = instructions;
    this.#channel = channel;
    this.#words = words;
    this.#queue = queue;
  }

  get done(): boolean {
    return this.#next === this.#instructions.length;
  }

  step(): void {
    const instruction = this.#instructions[this.#next]!;
    if (instruction.kind === "copy") this.#copy(instruction);
    else if (!this.#wait(instruction)) {
      this.blocked = true;
      return;
    }
    this.#next++;
  }

  #copy(from: Copy): void {
    const channel = this.#channel(from.channel.id);
    const { tile } = channel.channel;
    const subject = `aiex.npu.dma_memcpy_nd of @${from.fifo}`;
    const live = this.tasks.find(
      (t) => t.channel.channel.tile === tile && t.task.id === from.id && this.#pending(t.task),
    );
    if (live)
      throw new HeddleError(
        `reuses buffer descriptor ${from.id} of shim tile ${tile.name} while @${live.from.fifo} still moves with it`,
        {
          subject,
          loc: from.loc,
          hint: `another id, or aiex.npu.dma_wait for @${live.from.fifo} before`,
        },
      );
    const waiting = this.tasks.filter((t) => t.channel === channel && this.#pending(t.task)).length;
    if (waiting > this.#queue)
      throw new HeddleError(`is queued while ${this.#queue} others wait; the channel drops it`, {
        subject: `${subject} on shim tile ${tile.name}`,
        loc: from.loc,
        hint: `at most ${this.#queue} behind the one that moves: aiex.npu.dma_wait before`,
      });
    this.#refuseUnfinished(from);
    const task: Task = {
      id: from.id,
      pattern: from.pattern,
      words: this.#words[from.argument]!,
      token: from.token,
      time: this.time,
      finished: undefined,
    };
    this.tasks.push({ task, channel, from, awaited: false });
    channel.tasks.push(task);
    this.time += issue;
    if (channel.stream) channel.stream.blocked = false;
  }

  /** What the array writes may be read again only after a wait for it. @throws HeddleError naming both transfers. */
  #refuseUnfinished(from: Copy): void {
    if (from.channel.direction !== "MM2S") return;
    const writing = this.tasks.filter(
      (t) => t.from.argument === from.argument && t.from.channel.direction === "S2MM" && !t.awaited,
    );
    for (const { from: other } of writing)
      if (overlap(other.pattern, from.pattern))
        throw new HeddleError(`reads what @${other.fifo} writes (${showLoc(other.loc)}) with no wait between them`, {
          subject: `aiex.npu.dma_memcpy_nd of @${from.fifo}`,
          loc: from.loc,
          hint: `aiex.npu.dma_wait {symbol = @${other.fifo}} before`,
        });
  }

  /** As far as the controller can see now. */
  #pending(task: Task): boolean {
    return task.finished === undefined || task.finished > this.time;
  }

  /** Waits for the oldest token of the channel that nobody waited for. A channel works in order, so earlier tasks are done as well. */
  #wait({ channel, fifo, loc }: Extract<Instruction, { kind: "wait" }>): boolean {
    const state = this.#channel(channel.id);
    const own = this.tasks.filter((t) => t.channel === state);
    const token = own.find((t) => t.task.token && !t.awaited);
    if (!token)
      throw new HeddleError(`waits for a token that no transfer of @${fifo} issues`, {
        subject: "aiex.npu.dma_wait",
        loc,
        hint: "issue_token = true on the transfer",
      });
    if (token.task.finished === undefined) return false;
    this.time = Math.max(this.time, token.task.finished);
    for (const t of own.slice(0, own.indexOf(token) + 1)) t.awaited = true;
    return true;
  }

  queuesMore(channel: ChannelState): boolean {
    return this.#instructions
      .slice(this.#next)
      .some((i) => i.kind === "copy" && this.#channel(i.channel.id) === channel);
  }

  reasons(): Reason[] {
    const instruction = this.#instructions[this.#next];
    if (instruction?.kind !== "wait") return [];
    const { stream } = this.#channel(instruction.channel.id);
    return [{ text: `the end of a transfer of @${instruction.fifo}`, by: stream ? [stream] : [] }];
  }
}
