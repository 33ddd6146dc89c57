/** Activations that an op names in an attribute. */
import type { Node } from "../../node.ts";
import { gelu } from "../gelu.ts";
import { geluTanh } from "../gelu-tanh.ts";
import { silu } from "../silu.ts";

const activations: Readonly<Record<string, (x: Node) => Node>> = { geluTanh, gelu, silu, none: (x) => x };

/** @throws Error for a name that is none. */
export function needActivation(name: string): void {
  if (!Object.hasOwn(activations, name))
    throw new Error(`activation must be one of ${Object.keys(activations).join(", ")}, not ${JSON.stringify(name)}`);
}

export const activated = (name: string, x: Node): Node => activations[name]!(x);
