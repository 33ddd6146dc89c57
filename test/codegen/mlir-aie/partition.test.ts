/** A graph cut into steps computes what it computed whole: host steps by the interpreter, kernels by the op they stand for. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { AieKernelMaker, AieLowering } from "../../../src/codegen/mlir-aie/kernel.ts";
import { type Partition, partition } from "../../../src/codegen/mlir-aie/partition.ts";
import type { OpName, SupportTable } from "../../../src/codegen/support.ts";
import * as ir from "../../../src/ir/index.ts";
import { aieMachine } from "../../../src/targets/aie-machine.ts";
import { compiled, inputsFor, params } from "../programs.ts";

const machine = aieMachine("npu1")!;
const host: AieLowering = { host: true };
const table = (kernels: Partial<Record<OpName, AieKernelMaker>>): SupportTable<AieLowering> =>
  Object.fromEntries(
    ir.allOps().map((op) => {
      const kernel = kernels[op.name as OpName];
      return [op.name, kernel ? { kernel } : host];
    }),
  ) as unknown as SupportTable<AieLowering>;

const kernel = (name: string) => ({ name, alone: () => ({ design: { name, text: "" }, buffers: [] }) });
/** A kernel for any linear whose rows are a multiple of four. */
const linearKernel: AieKernelMaker = (n) => {
  const rows = n.type.shape[0] as number;
  if (rows % 4) return { host: `${rows} rows are no multiple of 4` };
  return { kernel: kernel("linear"), operands: n.inputs };
};

const x = ir.input("x", "f32", 4, 4);
const w = ir.param({ name: "w", dtype: "f32", shape: [4, 4] });
const names = ({ steps }: Partition): string[] =>
  steps.map((s) => (s.kind === "kernel" ? s.kernel.name : s.outputs.map((o) => o.op.name).join("+")));

test("kernels and host graphs alternate, and a chain of kernels needs no host between", () => {
  const t = ir.tanh(x);
  const a = ir.linear(t, w);
  const b = ir.linear(a, w);
  const y = ir.add(ir.linear(ir.exp(b), w), t);
  const cut = partition(ir.graph("g", { inputs: [x], outputs: [y] }), table({ linear: linearKernel }), machine);
  // The tanh is computed once, in the first step, although the last one wants it too.
  assert.equal(names(cut), ["tanh", "linear", "linear", "exp", "linear", "add"]);
});

test("what a kernel takes in is not computed on the host unless somebody else asks for it", () => {
  const hidden = ir.linear(x, w);
  const y = ir.geluTanh(hidden);
  const fused: AieKernelMaker = (n) => ({ kernel: kernel("linear_gelu"), operands: n.inputs[0]!.inputs });
  const support = table({ geluTanh: fused });
  assert.equal(names(partition(ir.graph("g", { inputs: [x], outputs: [y] }), support, machine)), ["linear_gelu"]);
  const both = ir.graph("g", { inputs: [x], outputs: [y, hidden] });
  assert.equal(names(partition(both, support, machine)), ["linear", "linear_gelu"]);
});

test("a node that the array declines stays on the host, with the reason", () => {
  const odd = ir.input("x", "f32", 3, 4);
  const y = ir.linear(odd, w);
  const cut = partition(ir.graph("g", { inputs: [odd], outputs: [y] }), table({ linear: linearKernel }), machine);
  assert.equal(names(cut), ["linear"]);
  assert.is(cut.steps[0]!.kind, "host");
  assert.equal(cut.declined, [{ node: y, reason: "3 rows are no multiple of 4" }]);
});

test("a cache is updated by the host step that appends, and read from there", () => {
  const cache = ir.input("cache", "f32", 4, 8, 4);
  const position = ir.input("position", "i32", 1);
  const slice = ir.reshape(ir.tanh(x), { shape: [4, 1, 4] });
  const next = ir.kvAppend(cache, slice, position, { axis: 1 });
  const y = ir.exp(ir.matmul(next, ir.reshape(ir.tanh(x), { shape: [4, 4, 1] })));
  const g = ir.graph("g", { inputs: [x, cache, position], outputs: [y], state: [{ cache, next }] });
  const maker: AieKernelMaker = (n) => ({ kernel: kernel("matmul"), operands: n.inputs });
  const { steps } = partition(g, table({ matmul: maker }), machine);
  const [first, second, third] = steps;
  if (first?.kind !== "host" || second?.kind !== "kernel" || third?.kind !== "host")
    return assert.unreachable("the steps are of other kinds");
  assert.is(first.graph.state.length, 1);
  assert.ok(first.inputs.includes(cache), "the cache is an input of the step that updates it");
  assert.not.ok(first.outputs.includes(next), "an update in place is no output");
  assert.is(second.operands[0], next);
  assert.is(third.graph.state.length, 0);
});

/** Runs the steps one after the other; values of the whole graph by node. */
function run({ steps }: Partition, values: Map<ir.Node, ir.Tensor>, updates: ReadonlyMap<ir.Node, ir.Node>): void {
  for (const step of steps) {
    if (step.kind === "kernel") {
      // What the kernel stands for, from the values of its operands alone.
      const known = new Map(step.operands.filter((n) => values.has(n)).map((n) => [n, values.get(n)!]));
      values.set(step.result, ir.evaluateNodes([step.result], { params, known })[0]!);
      continue;
    }
    const inputs = Object.fromEntries(step.graph.inputs.map((p, i) => [p.name!, values.get(step.inputs[i]!)!.data]));
    const { outputs, state } = ir.evaluate(step.graph, { inputs, params });
    for (const [i, n] of step.outputs.entries()) values.set(n, outputs[i]!);
    for (const [i, { cache }] of step.graph.state.entries()) {
      const whole = step.inputs.find((n) => n.name === cache.name)!;
      for (const n of [whole, updates.get(whole)!]) values.set(n, state[i]!);
    }
  }
}

test("the steps of a program with a cache compute what the program computes", async () => {
  const { module } = await compiled("gpt2-fa2-kv-fused");
  const g = ir.bind(module.graph, { T: 4, C: 64 }, "decode");
  const keep: AieKernelMaker = (n) => ({ kernel: kernel(n.op.name), operands: n.inputs });
  const support = table({ linear: linearKernel, flashCachedAttention: keep, mlp: keep });
  const cut = partition(g, support, machine);
  assert.is(cut.steps.filter((s) => s.kind === "kernel").length, 2 * 3, "two layers; the head has one row");
  assert.is(cut.declined.length, 1);

  const inputs = inputsFor(g, 4, 3);
  const whole = ir.evaluate(g, { inputs, params });
  const values = new Map(g.inputs.map((n) => [n, ir.wrap(n.name!, n.type, inputs[n.name!]!, "f32")]));
  run(cut, values, new Map(g.state.map((s) => [s.cache, s.next])));
  assert.equal([...values.get(g.outputs[0]!)!.data], [...whole.outputs[0]!.data]);
  for (const [i, s] of g.state.entries()) assert.equal([...values.get(s.next)!.data], [...whole.state[i]!.data]);
});

test.run();
