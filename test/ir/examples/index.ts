import { attentions } from "./attention.ts";
import { composites } from "./composites.ts";
import type { Example } from "./example.ts";
import { movement } from "./movement.ts";
import { primitives } from "./primitives.ts";
import { quantized } from "./quantized.ts";

/** Examples of every op by its name. */
export const examples: Readonly<Record<string, readonly Example[]>> = {
  ...movement,
  ...primitives,
  ...quantized,
  ...composites,
  ...attentions,
};
