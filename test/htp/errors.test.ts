/** Faults of the vendor's compiler in words. None of these needs its libraries. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { explainFinalize } from "../../src/htp/finalize-error.ts";
import { prepareContext } from "../../src/htp/prepare.ts";
import { checkReadBack } from "../../src/htp/read-back.ts";
import { refusalError } from "../../src/htp/refusals.ts";
import { runJob } from "../../src/htp/run-job.ts";
import { QnnError } from "../../src/runtime/qnn-error.ts";
import { rejection } from "../support/rejection.ts";
import { tempFolder } from "../support/temp.ts";
import { chain } from "./support.ts";

const { graph } = chain(tempFolder(), ["Gelu", "Tanh", "Gelu", "Erf"]);
const refused = (node: number, code = 3110) =>
  new QnnError({
    code,
    call: "backendValidateOpConfig",
    backend: "HTP_QTI_AISW",
    graph: graph.graph,
    node: graph.nodes[node]!.name,
    op: graph.nodes[node]!.type,
    location: graph.nodes[node]!.loc!,
    log: ["validate OpConfig", " <E> OpValidator not found", " <I> done"],
  });

test("refused nodes: line, types, the vendor's error lines, what to try; like nodes are counted", () => {
  const error = refusalError(graph, [refused(0), refused(2), refused(3, 4005)]);
  assert.is(
    error.message.split("\n  try: ")[0],
    `graphs/models/some.ts:1:7: Gelu node 'h0.gelu' of graph 'chain': Qualcomm's validator refuses Gelu(FLOAT_16[1,64]) -> FLOAT_16[1,64]
    code: 3110, the backend does not take this op with these operands and parameters
    log: <E> OpValidator not found
  and 1 more nodes like it
  also Erf node 'h3.erf' (graphs/models/some.ts:4:7): Erf(FLOAT_16[1,64]) -> FLOAT_16[1,64]
    code: 4005, the op package was not found
    log: <E> OpValidator not found`,
  );
  assert.match(error.message, /try: write the op in terms that HTP has/);
});

test("a failed finalization is traced to the node that the log names", () => {
  const failure = {
    code: 1002,
    call: "graphFinalize",
    graph: "chain",
    log: ["could not create op: q::QNN_Gelu", ' <E> "h2.gelu" generated: could not create op'],
  };
  const error = explainFinalize(new QnnError(failure), graph, 30) as QnnError;
  assert.match(
    error.message,
    /^graphs\/models\/some\.ts:3:7: Gelu\(FLOAT_16\[1,64\]\) -> FLOAT_16\[1,64\] node 'h2\.gelu'/,
  );
  assert.match(error.message, /failed with 1002, out of memory, or the graph could not be prepared/);
  assert.match(error.message, /try: write Gelu in terms of other ops for SoC 30/);
  const unknown = explainFinalize(new QnnError({ ...failure, log: ["no room"] }), graph, 30) as QnnError;
  assert.match(unknown.message, /^graph 'chain': .*\n {2}log: no room\n {2}try: often a single op/);
  const other = new Error("other");
  assert.is(explainFinalize(other, graph, 30), other);
});

const sound = {
  buildId: "b",
  coreVersion: "2.40.0",
  backendVersion: "5.0.0",
  backendId: 6,
  socModel: 60,
  graphs: [
    {
      name: "chain",
      inputs: [{ name: "x", dataType: "FLOAT_16", dims: [1, 64], bytes: 128, state: false }],
      outputs: [{ name: "y", dataType: "FLOAT_16", dims: [1, 64], bytes: 128, state: false }],
    },
  ],
};
const first = sound.graphs[0]!;
for (const [what, found, words] of [
  ["another SoC", { ...sound, socModel: 69 }, /is for SoC 69, not 60/],
  ["no graph", { ...sound, graphs: [] }, /holds the graphs \(none\), not chain/],
  ["another graph", { ...sound, graphs: [{ ...first, name: "other" }] }, /holds the graphs other, not chain/],
  ["a missing output", { ...sound, graphs: [{ ...first, outputs: [] }] }, /gives chain the outputs \(none\), not y/],
  [
    "another shape",
    { ...sound, graphs: [{ ...first, inputs: [{ ...first.inputs[0]!, dims: [64, 1] }] }] },
    /has x of chain as FLOAT_16\[64,1\], not FLOAT_16\[1,64\]/,
  ],
] as const)
  test(`read back with ${what}: refused`, () => {
    assert.throws(() => checkReadBack("context.bin", found, [graph], 60), words);
  });
test("read back as it was written", () => checkReadBack("context.bin", sound, [graph], 60));

/** A library that provides version `major.minor` of the QNN interface; every function of it ends the process. */
function stub(major: number, minor: number, end = "abort()"): string {
  const folder = tempFolder();
  const source = join(folder, "stub.c");
  const library = join(folder, "libQnnHtp.so");
  writeFileSync(
    source,
    `#include <signal.h>
     #include <stdlib.h>
     static void end(void) { ${end}; }
     struct provider { unsigned id; const char* name; unsigned core[3], backend[3]; void (*functions[80])(void); };
     static const struct provider stub = { 6, "STUB", { ${major}, ${minor}, 0 }, { 1, 0, 0 }, { [0 ... 79] = end } };
     static const struct provider* all[] = { &stub };
     unsigned long QnnInterface_getProviders(const struct provider*** list, unsigned* count) { *list = all; *count = 1; return 0; }`,
  );
  execFileSync(process.env.CC ?? "gcc", ["-shared", "-fPIC", "-o", library, source]);
  return library;
}

const request = (library: string) => {
  const { graphs, weights } = chain(tempFolder(), ["Tanh"]);
  return { graphs, weights, binary: join(tempFolder(), "context.bin"), library, cache: false } as const;
};

test("a library of a wrong version is said in words", async () => {
  const old = stub(1, 9);
  assert.is(
    (await rejection(prepareContext(request(old)))).message,
    `${old} provides QNN core API 1.9.0; Heddle needs 2.14 or a newer 2.x`,
  );
});

test("a library that is missing", async () => {
  const error = await rejection(prepareContext(request("/nowhere/libQnnHtp.so")));
  assert.is(error.message, "cannot load /nowhere/libQnnHtp.so: there is no such file");
});

test("a process that dies says how, and the caller lives", async () => {
  const job = { ...request(stub(2, 40)), soc: 60, optimization: 3, vtcm: 8, weightSharing: true };
  const error = await rejection(runJob(job));
  assert.match(error.message, /^the process of Qualcomm's compiler ended by SIGABRT/);
  assert.match(error.message, /try: this is a crash inside the library/);
  const stopped = { ...job, library: stub(2, 40, "raise(SIGKILL)") };
  assert.match(
    (await rejection(runJob(stopped))).message,
    /ended by SIGKILL[\s\S]*short of memory: this takes about 1\.0 GB, and \d/,
  );
  const stop = new AbortController();
  const aborted = rejection(runJob(job, { signal: stop.signal }));
  stop.abort(new Error("enough"));
  assert.is((await aborted).message, "enough");
});

test.run();
