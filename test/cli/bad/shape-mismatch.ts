/** A graph file with a mistake: the second layer takes more columns than the first one yields. */

import { gpt2 } from "../../../graphs/models/gpt2.ts";
import { graph, input, linear, param, sym } from "../../../src/ir/index.ts";
import { program } from "../../../src/passes/index.ts";

function build() {
  const x = input("x", "f32", sym("T", 1, 64), 64);
  const hidden = linear(x, param({ name: "h.0.mlp.c_fc.weight", dtype: "f32", shape: [256, 64] }));
  const y = linear(hidden, param({ name: "h.0.mlp.c_proj.weight", dtype: "f32", shape: [64, 512] }));
  return { graph: graph("mistake", { inputs: [x], outputs: [y] }), entries: [] };
}

export default program({ model: { ...gpt2, build }, passes: [] });
