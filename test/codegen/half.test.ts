import { test } from "uvu";
import * as assert from "uvu/assert";
import { toHalf } from "../../src/codegen/half.ts";
import { hostCaches } from "../../src/codegen/host-caches.ts";
import { findStatic } from "../../src/codegen/statics.ts";
import { bind, topo } from "../../src/ir/index.ts";
import { programs } from "../support/programs.ts";
import { compiled, inputsFor, maxDifference, reference } from "./programs.ts";

for (const name of programs)
  test(`${name} in f16`, async () => {
    const { module } = await compiled(name);
    for (const entry of module.entries.slice(0, 2)) {
      const { graph } = hostCaches(bind(module.graph, entry.bind, entry.name));
      const half = toHalf(graph);
      const ports = (g: typeof graph) => [...g.inputs, ...g.outputs].map((n) => `${n.name} ${n.type.dtype}`);
      assert.equal(ports(half), ports(graph), "the caller sees no difference");
      const known = findStatic(half);
      const computed = topo(half).filter((n) => !known.has(n) && !half.inputs.includes(n) && !half.outputs.includes(n));
      assert.equal(
        computed.filter((n) => n.type.dtype === "f32").map((n) => n.name),
        [],
      );
      const inputs = inputsFor(graph, Math.min(5, entry.bind.T!), entry.role === "decode" ? 40 : 0);
      assert.ok(maxDifference(reference(half, inputs), reference(graph, inputs)) < 5e-3, entry.name);
    }
  });

test.run();
