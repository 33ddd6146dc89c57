/** The kernels of a small layer of a transformer, as the compiler makes them of its ops. */
import type { AieKernel, AieKernelMaker } from "../../../src/codegen/mlir-aie/kernel.ts";
import { cachedAttention, geluTanh, linear } from "../../../src/codegen/mlir-aie/lowerings.ts";
import * as ir from "../../../src/ir/index.ts";
import { phoenix } from "./kernels.ts";

const kernelOf = (n: ir.Node, make: AieKernelMaker, machine = phoenix): { kernel: AieKernel; node: ir.Node } => {
  const made = make(n, machine);
  if (!("kernel" in made)) throw new Error(made.host);
  return { kernel: made.kernel, node: n };
};

const param = (name: string, ...shape: number[]) => ir.param({ name, dtype: "f32", shape });

/** Products of a small layer for `rows` tokens, of three kinds and sizes, and attention over a cache of 64 places. */
export function layer(rows: number, machine = phoenix, keys = 64) {
  const x = ir.input("x", "f32", rows, 64);
  const hidden = ir.input("hidden", "f32", rows, 192);
  const attended = ir.input("attended", "f32", rows, 64);
  const [q, k, v] = [
    ir.input("q", "f32", 4, rows, 16),
    ir.input("k", "f32", 4, 16, keys),
    ir.input("v", "f32", 4, keys, 16),
  ];
  const position = ir.input("position", "i32", 1);
  const norm = ir.normalize(x, { eps: 1e-5 });
  return {
    qkv: kernelOf(ir.linear(norm, param("qkv", 192, 64), param("qkv_bias", 192)), linear, machine),
    attention: kernelOf(ir.flashCachedAttention(q, k, v, position, { scale: 0.25 }), cachedAttention, machine),
    projection: kernelOf(
      ir.linear(attended, param("projection", 64, 64), param("projection_bias", 64)),
      linear,
      machine,
    ),
    up: kernelOf(ir.geluTanh(ir.linear(norm, param("up", 192, 64), param("up_bias", 192))), geluTanh, machine),
    down: kernelOf(ir.linear(hidden, param("down", 64, 192)), linear, machine),
  };
}

/** What a kernel reads: the rows under a norm, the weights, and the bias that is packed with them. */
export function operandsOf(n: ir.Node): { operands: readonly ir.Node[]; columns?: ir.Node } {
  const of = n.op === ir.geluTanh ? n.inputs[0]! : n;
  if (of.op !== ir.linear) return { operands: of.inputs };
  const [x, w, b] = of.inputs as [ir.Node, ir.Node, ir.Node | undefined];
  return { operands: [x.op === ir.normalize ? x.inputs[0]! : x, w], ...(b && { columns: b }) };
}
