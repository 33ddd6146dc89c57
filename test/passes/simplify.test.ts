/** simplify where sizes are not known yet. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { concat, exp, graph, input, slice, sym } from "../../src/ir/index.ts";
import { runPasses, simplify } from "../../src/passes/index.ts";

test("a join of one cut of symbolic size", () => {
  const T = sym("T", 1, 8);
  const x = input("x", "f32", 8, 2);
  const cut = slice(x, { axis: 0, start: 0, size: T });
  const g = graph("g", { inputs: [x], outputs: [exp(concat([cut], { axis: 0 }))] });
  const { module } = runPasses({ graph: g, entries: [] }, [simplify], { check: true });
  assert.is(module.graph.outputs[0]!.inputs[0]!.op, slice);
});

test.run();
