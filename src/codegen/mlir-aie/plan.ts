/** What the planner of a kernel decides: where it runs, in which tiles, from which buffers. It prints, and `emit` writes its design. */
import { type Cost, throughput } from "./cost.ts";
import { byteSize, type Design, type Fifo, showMem } from "./design.ts";
import type { AieBuffer } from "./kernel.ts";

export interface KernelPlan {
  readonly kernel: string;
  readonly name: string;
  /** The configuration, with one run: this kernel's. Kernels that share cores have equal configurations. */
  readonly design: Design;
  /** One per argument of the sequence, in order. */
  readonly buffers: readonly AieBuffer[];
  /** The decisions, a line each. */
  readonly lines: readonly string[];
  readonly cost: Cost;
}

/** The plan as text. */
export function showPlan(p: KernelPlan): string {
  return [...head(p), ...buffersOf(p), ...configuration(p.design), ...sequenceOf(p), ""].join("\n");
}

/** A design that several kernels share, as text: each of them, then what they share. */
export function showDesign(design: Design, kernels: readonly KernelPlan[]): string {
  return [
    `design ${design.name} on ${design.device}, ${design.cores.length} cores, ${kernels.length} kernels`,
    ...kernels.flatMap((k) => ["", ...head(k), ...buffersOf(k), ...sequenceOf(k)]),
    "",
    ...configuration(design),
    "",
  ].join("\n");
}

function head({ cost, design, ...p }: KernelPlan): string[] {
  const us = (s: number) => `${(s * 1e6).toFixed(1)} us`;
  return [
    `kernel ${p.name}: ${p.kernel} on ${design.device}, ${design.cores.length} cores`,
    ...p.lines.map((line) => `  ${line}`),
    `  modelled ${us(cost.seconds)} with dispatch: cores ${us(cost.compute)}, memory ${us(cost.memory)} for ${cost.bytes} bytes, streams ${us(cost.stream)}${cost.fill ? `, first operands ${us(cost.fill)}, last results ${us(cost.drain)}` : ""}; ${(throughput(cost) / 1e12).toFixed(3)} Tops/s`,
  ];
}

const buffersOf = ({ design, buffers }: KernelPlan): string[] => [
  "buffers",
  ...design.runs[0]!.args.map(
    (a, i) => `  ${i} ${a.name} ${a.role} ${showMem(a.type)} ${byteSize(a.type)} bytes ${held(buffers[i]!)}`,
  ),
];

function sequenceOf({ design }: KernelPlan): string[] {
  const { args, sequence } = design.runs[0]!;
  const steps = sequence.map((s) =>
    s.kind === "wait"
      ? `  wait ${s.fifo}`
      : `  ${s.fifo} #${s.id} ${args[s.arg]!.name}+${s.offset} [${s.dims.map((d) => `${d.size}:${d.stride}`).join(" ")}]${s.token ? " token" : ""}`,
  );
  return ["sequence", ...steps];
}

function configuration({ fifos, links }: Design): string[] {
  const ends = (f: Fifo) => `${place(f.from)} -> ${f.to.map(place).join(" ")}`;
  const dims = ({ toStream }: Fifo) => (toStream ? ` [${toStream.map((d) => `${d.size}:${d.stride}`).join(" ")}]` : "");
  return [
    "fifos",
    ...fifos.map(
      (f) =>
        `  ${f.name} ${ends(f)} ${[f.depth].flat().join("/")} x ${showMem(f.object)}${dims(f)}${f.repeat ? `, each ${f.repeat} times` : ""}`,
    ),
    "links",
    ...links.map(
      (l) => `  ${l.from.join("+")} -> ${l.to.join("+")}${l.offsets.length ? ` at ${l.offsets.join(" ")}` : ""}`,
    ),
  ];
}

const place = ({ col, row }: { readonly col: number; readonly row: number }): string => `${col},${row}`;

const held = ({ holds, tiling }: AieBuffer): string => {
  const what = holds === "result" ? "the result" : `operand ${holds}`;
  return tiling
    ? `${what} ${tiling.shape.join("x")} as ${tiling.order.map((f) => tiling.split.flat()[f]).join("x")}`
    : what;
};
