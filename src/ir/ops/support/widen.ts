import type { Node } from "../../node.ts";
import type { TensorType } from "../../type.ts";
import { cast } from "../cast.ts";

/** A weight in the element type of the activations it meets; the weight itself where it has that already. */
export const widened = (w: Node, to: TensorType): Node =>
  w.type.dtype === to.dtype ? w : cast(w, { dtype: to.dtype });
