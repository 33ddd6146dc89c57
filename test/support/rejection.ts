import * as assert from "uvu/assert";

/** What a promise fails with; fails itself where it does not. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

/** Fails unless the work fails with a message that `says` matches. */
export async function refused(work: Promise<unknown> | (() => unknown), says: RegExp): Promise<void> {
  const { message } = await rejection(typeof work === "function" ? Promise.resolve().then(work) : work);
  assert.match(message, says);
}
