/** A graph file with a mistake: no checkpoint has a tensor of this name. */

import { gpt2 } from "../../../graphs/models/gpt2.ts";
import { add, gather, graph, input, linear, param, sym } from "../../../src/ir/index.ts";
import { program } from "../../../src/passes/index.ts";

function build() {
  const tokens = input("tokens", "i32", sym("T", 1, 64));
  const table = param({ name: "wte.weight", dtype: "f32", shape: [256, 64] });
  const bias = param({ name: "h.0.ln_1.bais", dtype: "f32", shape: [64] });
  const logits = linear(add(gather(table, tokens), bias), table);
  const entries = [{ name: "forward-64", role: "forward" as const, bind: { T: 64 } }];
  return { graph: graph("mistake", { inputs: [tokens], outputs: [logits] }), entries };
}

export default program({ model: { ...gpt2, build }, passes: [] });
