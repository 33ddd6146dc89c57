/** What runs at the same time: cores, streams, and the host's sequence. */

/** Why an actor cannot go on. */
export interface Reason {
  /** `a full element of @b (has 0, needs 1)`. */
  readonly text: string;
  /** Who could change that. */
  readonly by: readonly Actor[];
}

export interface Actor {
  /** `core on tile (0, 2)`, `@a from tile (0, 0)`, `the runtime sequence`. */
  readonly name: string;
  /** Simulated cycles so far. */
  readonly time: number;
  readonly done: boolean;
  /** Set while it waits; who releases what it waits for resets it. */
  blocked: boolean;
  /** Does one piece of work, or becomes blocked. */
  step(): void;
  /** What it waits for. */
  reasons(): Reason[];
}
