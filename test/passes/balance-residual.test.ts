/** Channels of a residual stream that differ by thousands: by what they are divided, and that norms do not see it. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { sizes } from "../../graphs/models/gemma3-config.ts";
import { loadProgram } from "../../src/frontend/load.ts";
import { topo } from "../../src/ir/graph.ts";
import { nodeNames } from "../../src/ir/print.ts";
import { divisorsFor } from "../../src/passes/balance-residual.ts";
import {
  balanceResidual,
  flashAttention,
  fuseMlp,
  kvCache,
  mergeQkv,
  ownNames,
  runPasses,
  simplify,
  splitLinears,
} from "../../src/passes/index.ts";

const loaded = await loadProgram("graphs/gemma3-270m.ts");
const lowered = () =>
  runPasses(loaded.build("tiny").module, [mergeQkv, simplify, fuseMlp, flashAttention, kvCache, splitLinears]).module;

test("divisors are powers of two by what stands out in any value of the stream", () => {
  assert.equal(
    divisorsFor([
      [1, 2, 1, 1, 900],
      [3, 3, 3, 3, 3],
    ]),
    [1, 2, 1, 1, 1024],
  );
  assert.equal(
    divisorsFor([
      [1, 1, 0],
      [10, 80, 10],
    ]),
    [1, 8, 1],
    "small channels are not raised",
  );
  assert.equal(divisorsFor([[0, 0, 0]]), [1, 1, 1]);
});

test("the proof holds, and every source and norm is hit", () => {
  const width = sizes.tiny.width;
  const divisors = Array.from({ length: width }, (_, c) => (c % 7 ? 1 : 2 ** (c % 5)));
  const { records } = runPasses(lowered(), [ownNames, balanceResidual(divisors)], { check: true });
  const hits = Object.fromEntries(records[1]!.hits.map((h) => [h.rule, h.count]));
  assert.equal(hits, { "divide-source": 7, "norm-of-balanced": 7 });
});

test("own-names gives values the names under which dumps show them", () => {
  const before = lowered().graph;
  const shown = [...nodeNames(before)]
    .filter(([n]) => n.name !== undefined && n.inputs.length > 0)
    .map(([, name]) => name);
  const { graph } = runPasses(lowered(), [ownNames], { check: true }).module;
  const own = topo(graph).filter((n) => n.name !== undefined && n.inputs.length > 0);
  assert.equal(own.map((n) => n.name).sort(), shown.sort());
  assert.is(new Set(own.map((n) => n.name)).size, own.length, "no name twice");
});

test.run();
