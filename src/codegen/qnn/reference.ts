/** What the embedded reference backend does with each op: Qualcomm's ops, and package `heddle` with the fused ones. */
import type { Node } from "../../ir/node.ts";
import * as ops from "../../ir/ops/index.ts";
import { resolveAxis } from "../../ir/ops/support/axis.ts";
import type { SupportTable } from "../support.ts";
import { gatedOrBlocks, orBlocks, tableRows } from "./blocks.ts";
import { custom, heddle, type QnnLowering } from "./lowering.ts";
import { bool, f32, u32 } from "./params.ts";
import { fixedBias, fullyConnected, qtiSupport } from "./qti.ts";

/** Numbers of the activations of `Mlp` and `GatedMlp`. */
const activations: Readonly<Record<string, number>> = { geluTanh: 0, gelu: 1, silu: 2, none: 3 };

export const referenceSupport = {
  ...qtiSupport,
  flashAttention: heddle(ops.flashAttention, "FlashAttention", (a) => [
    f32("scale", a.scale),
    bool("causal", a.causal),
    u32("window", a.window),
    u32("block_q", a.blockQ),
    u32("block_k", a.blockK),
  ]),
  // Products with weights in blocks have one order of sums however many tokens are read at once; attention is then to have one too.
  flashCachedAttention: custom(ops.flashCachedAttention, (n, b) => {
    const { scale, window, blockQ, blockK } = n.attrs;
    const params = [f32("scale", scale), u32("window", window), u32("block_q", blockQ), u32("block_k", blockK)];
    b.node(n, "FlashCachedAttention", b.hasBlocks ? [...params, bool("stepwise", true)] : params, "heddle");
  }),
  // In place: the output is the cache tensor itself.
  kvAppend: custom(ops.kvAppend, (n, b) => {
    b.alias(n, n.inputs[0]!);
    const { axis, window } = n.attrs;
    const params = [u32("axis", resolveAxis(axis, n.type.shape)), ...(window ? [u32("window", window)] : [])];
    b.node(n, "KvAppend", params, "heddle");
  }),
  mlp: heddle(ops.mlp, "Mlp", ({ activation }) => [u32("activation", activations[activation]!)]),
  gatedMlp: gatedOrBlocks(
    heddle(ops.gatedMlp, "GatedMlp", ({ activation }) => [u32("activation", activations[activation]!)]),
    (activation) => activations[activation]!,
  ),
  blockQuantizedLinear: custom(ops.blockQuantizedLinear, (n, b) => {
    const [x, w, scales, blockScales, bias] = n.inputs as [Node, Node, Node, Node, Node?];
    fullyConnected(n, b, [x, b.fixedStatic(w, { scales, bits: 4, blockScales }), ...fixedBias(b, x, scales, bias)]);
  }),
  linear: orBlocks(qtiSupport.linear, 1, "BlockFullyConnected"),
  linearAdd: orBlocks(heddle(ops.linearAdd, "FullyConnectedAdd"), 1, "BlockFullyConnected"),
  gather: orBlocks(qtiSupport.gather, 0, "BlockGather", tableRows),
  geluTanh: heddle(ops.geluTanh, "GeluTanh"),
  rope: heddle(ops.rope, "Rope"),
  normalize: heddle(ops.normalize, "Normalize", ({ eps }) => [f32("epsilon", eps)]),
} satisfies SupportTable<QnnLowering>;
