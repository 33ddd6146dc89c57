/** Damaged designs are refused in words or run to their end; nothing else comes out of the parser, the checker or a run. */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { HeddleError } from "../../../src/ir/error.ts";
import { loadDesign, simulate } from "../../../src/runtime/aie-sim/index.ts";
import { bytesOf } from "../../../src/runtime/aie-sim/mlir/type.ts";

const text = readFileSync("test/golden/aie-sim/gemm.mlir", "utf8");

function outcome(damaged: string): string {
  try {
    const design = loadDesign(damaged, { file: "damaged.mlir" });
    if (design.host.args.reduce((n, a) => n + bytesOf(a.type), 0) > 1e6) return "large";
    simulate(
      design,
      design.host.args.map(({ type }) => new Uint8Array(bytesOf(type))),
    );
    return "ran";
  } catch (e) {
    if (e instanceof HeddleError) return "refused";
    throw new Error(`${(e as Error).stack}\n${damaged}`);
  }
}

let state = 7;
const random = (below: number): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};

test("pieces left out, doubled, exchanged, and numbers changed", () => {
  const tokens = text.split(/(?<=[\s,()[\]{}<>:=])|(?=[\s,()[\]{}<>:=])/);
  const numbers = ["0", "-1", "1", "2", "3", "255", "256", "65536", "99999999999", "0x7fffffff", "1.5"];
  const seen = new Map<string, number>();
  for (let i = 0; i < 600; i++) {
    const copy = [...tokens];
    const at = random(copy.length);
    if (i % 4 === 0) copy.splice(at, 1);
    else if (i % 4 === 1) copy.splice(at, 0, copy[random(copy.length)]!);
    else if (i % 4 === 2) copy[at] = copy[random(copy.length)]!;
    else {
      const places = copy.flatMap((t, j) => (/\d/.test(t) ? [j] : []));
      const j = places[random(places.length)]!;
      copy[j] = copy[j]!.replace(/\d+/, numbers[random(numbers.length)]!);
    }
    const how = outcome(copy.join(""));
    seen.set(how, (seen.get(how) ?? 0) + 1);
  }
  assert.ok((seen.get("refused") ?? 0) > 250 && (seen.get("ran") ?? 0) > 20, JSON.stringify([...seen]));
});

const refusal = (damaged: string): string => {
  try {
    loadDesign(damaged, { file: "damaged.mlir" });
    return "";
  } catch (e) {
    assert.instance(e, HeddleError);
    return (e as Error).message;
  }
};

test("what would take all memory or never end is refused", () => {
  assert.match(refusal("(".repeat(1e5)), /damaged.mlir:1:1: expected an op/);
  assert.match(refusal(`module { %x = arith.constant ${"[".repeat(1e5)}`), /is nested too deeply/);
  assert.match(
    refusal(text.replace("vector<4x4xf32>\n", "vector<999999x999xf32>\n")),
    /a vector of 998999001 lanes is not of the subset/,
  );
  assert.match(
    refusal(text.replace("{%c}, 2 : i32", "{%c}, 900000000 : i32")),
    /objectFIFO @a: has depth 900000000; a lock counts from 1 to 63/,
  );
  assert.match(
    refusal(text.replace("[1,1,1,256][0,0,0,1]", "[1,99999999,99999999,2][0,0,0,1]")),
    /its second dimension has 99999999 words or steps; the wrap has 10 bits/,
  );
  assert.match(
    refusal(text.replace("%c8 = arith.constant 8", "%c8 = arith.constant 9223372036854775807")),
    /scf.for: never ends and never waits/,
  );
});

test("names of the text do not reach the code", () => {
  const name = '%x"; process.exit(3); "';
  assert.match(refusal(text.replaceAll("%acc0", name)), /expected/);
  assert.match(refusal(text.replace("aie.end", "constructor")), /constructor is not an op of the subset/);
  assert.match(refusal(text.replace("{metadata = @a, id", "{__proto__ = @a, id")), /has no symbol attribute metadata/);
});

test.run();
