/** Every rule of every pass: on a graph made to its pattern it fires, and the numbers stay the same. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { graph, inputOp, type Node, rewrite, topo } from "../../src/ir/index.ts";
import type { Pass } from "../../src/passes/index.ts";
import * as passes from "../../src/passes/index.ts";
import { prove } from "../../src/passes/prove.ts";
import { pickBefore } from "../../src/passes/support/pick-rows.ts";
import { loadTarget } from "../../src/targets/target.ts";
import { examples, type Sizes } from "./examples.ts";

const target = loadTarget("phoenix");
const isPass = (x: unknown): x is Pass => typeof x === "object" && x !== null && "rules" in x && "proof" in x;
const all = [
  ...Object.values(passes)
    .filter(isPass)
    .flatMap((pass) => pass.rules(target).map((rule) => ({ rule, tolerance: pass.proof.tolerance ?? 1e-12 }))),
  { rule: pickBefore, tolerance: 1e-12 },
];

const sizes: fc.Arbitrary<Sizes> = fc.record({
  tokens: fc.integer({ min: 1, max: 9 }),
  width: fc.integer({ min: 1, max: 7 }),
  hidden: fc.integer({ min: 1, max: 8 }),
  heads: fc.constantFrom(2, 4),
  groups: fc.constantFrom(1, 2),
  dim: fc.integer({ min: 1, max: 5 }),
});

test("there is an example for every rule, and a rule for every example", () => {
  assert.equal(Object.keys(examples).sort(), [...new Set(all.map((r) => r.rule.name))].sort());
});

for (const { rule, tolerance } of all)
  test(`${rule.name} fires on its pattern and keeps the numbers`, () => {
    fc.assert(
      fc.property(sizes, fc.integer(), (s, seed) => {
        const output = examples[rule.name]!(s);
        const before = graphOf(output);
        const { graph: after, hits } = rewrite(before, [rule]);
        assert.ok(hits.get(rule.name)! > 0, `${rule.name} did not match its example`);
        const proof = prove(before, after, {
          seed,
          sizes: {},
          tolerance: { f64: tolerance, f32: Math.max(tolerance, 1e-4) },
        });
        assert.is(proof.difference, undefined, JSON.stringify(proof.difference));
      }),
      { numRuns: 25, seed: 1 },
    );
  });

/** The graph of a value: its inputs are those that it reads. */
function graphOf(output: Node) {
  const bare = graph("example", { inputs: [], outputs: [output] });
  return graph("example", { inputs: topo(bare).filter((n) => n.op === inputOp), outputs: [output] });
}

test.run();
