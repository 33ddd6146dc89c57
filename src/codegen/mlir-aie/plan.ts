/** What the planner of a kernel decides: where it runs, in which tiles, from which buffers. It prints, and `emit` writes its design. */
import { type Cost, throughput } from "./cost.ts";
import { byteSize, type Design, showMem } from "./design.ts";
import type { AieBuffer } from "./kernel.ts";

export interface KernelPlan {
  readonly kernel: string;
  readonly name: string;
  readonly design: Design;
  /** One per argument of the sequence, in order. */
  readonly buffers: readonly AieBuffer[];
  /** The decisions, a line each. */
  readonly lines: readonly string[];
  readonly cost: Cost;
}

/** The plan as text. */
export function showPlan(p: KernelPlan): string {
  const { cost, design } = p;
  const us = (s: number) => `${(s * 1e6).toFixed(1)} us`;
  const args = design.args.map(
    (a, i) => `  ${i} ${a.name} ${a.role} ${showMem(a.type)} ${byteSize(a.type)} bytes ${held(p.buffers[i]!)}`,
  );
  const fifos = design.fifos.map((f) => {
    const ends = `${place(f.from)} -> ${f.to.map(place).join(" ")}`;
    const dims = f.toStream ? ` [${f.toStream.map((d) => `${d.size}:${d.stride}`).join(" ")}]` : "";
    return `  ${f.name} ${ends} ${f.depth} x ${showMem(f.object)}${dims}${f.repeat ? `, each ${f.repeat} times` : ""}`;
  });
  const links = design.links.map(
    (l) => `  ${l.from.join("+")} -> ${l.to.join("+")}${l.offsets.length ? ` at ${l.offsets.join(" ")}` : ""}`,
  );
  const sequence = design.sequence.map((s) =>
    s.kind === "wait"
      ? `  wait ${s.fifo}`
      : `  ${s.fifo} #${s.id} ${design.args[s.arg]!.name}+${s.offset} [${s.dims.map((d) => `${d.size}:${d.stride}`).join(" ")}]${s.token ? " token" : ""}`,
  );
  return [
    `kernel ${p.name}: ${p.kernel} on ${design.device}, ${design.cores.length} cores`,
    ...p.lines.map((line) => `  ${line}`),
    `  modelled ${us(cost.seconds)} with dispatch: cores ${us(cost.compute)}, memory ${us(cost.memory)} for ${cost.bytes} bytes, streams ${us(cost.stream)}${cost.fill ? `, first operands ${us(cost.fill)}, last results ${us(cost.drain)}` : ""}; ${(throughput(cost) / 1e12).toFixed(3)} Tops/s`,
    "buffers",
    ...args,
    "fifos",
    ...fifos,
    "links",
    ...links,
    "sequence",
    ...sequence,
    "",
  ].join("\n");
}

const place = ({ col, row }: { readonly col: number; readonly row: number }): string => `${col},${row}`;

const held = ({ holds, tiling }: AieBuffer): string => {
  const what = holds === "result" ? "the result" : `operand ${holds}`;
  return tiling
    ? `${what} ${tiling.shape.join("x")} as ${tiling.order.map((f) => tiling.split.flat()[f]).join("x")}`
    : what;
};
