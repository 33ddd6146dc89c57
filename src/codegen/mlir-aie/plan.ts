/** What the planner of a kernel decides: where it runs, in which tiles, from which buffers. It prints, and `emit` writes its design. */
import { type Cost, throughput } from "./cost.ts";
import { byteSize, type Design, showMem } from "./design.ts";
import { fromBf16, type Packed, pack, type Tiling, toBf16, type Values } from "./tiling.ts";

/** What a buffer holds: a tensor in some tiling, and for weights of a linear its bias between the chunks. */
export interface Operand {
  /** The operand of the op: `x`, `w`, `q`, `position`; `out` for the result. */
  readonly source: string;
  readonly tiling: Tiling;
  readonly bias?: BiasRows;
}

/** After every `chunk` elements come the bias's rows: per column of the matrix unit's block its bf16 and what that leaves over. */
export interface BiasRows {
  readonly source: string;
  readonly chunk: number;
  readonly extra: number;
  /** Columns of a tile, its chunks, tiles whose chunks alternate, and the matrix unit's block of B. */
  readonly columns: {
    readonly per: number;
    readonly chunks: number;
    readonly beside: number;
    readonly block: readonly [number, number];
  };
  readonly tiling: Tiling;
}

export interface KernelPlan {
  readonly kernel: string;
  readonly name: string;
  readonly design: Design;
  /** One per argument of the sequence, in order. */
  readonly operands: readonly Operand[];
  /** The decisions, a line each. */
  readonly lines: readonly string[];
  readonly cost: Cost;
}

/** The plan as text. */
export function showPlan(p: KernelPlan): string {
  const { cost, design } = p;
  const us = (s: number) => `${(s * 1e6).toFixed(1)} us`;
  const args = design.args.map(
    (a, i) => `  ${i} ${a.name} ${a.role} ${showMem(a.type)} ${byteSize(a.type)} bytes <- ${p.operands[i]!.source}`,
  );
  const fifos = design.fifos.map((f) => {
    const ends = `${place(f.from)} -> ${f.to.map(place).join(" ")}`;
    const dims = f.toStream ? ` [${f.toStream.map((d) => `${d.size}:${d.stride}`).join(" ")}]` : "";
    return `  ${f.name} ${ends} ${f.depth} x ${showMem(f.object)}${dims}`;
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
    `  modelled ${us(cost.seconds)} with dispatch: cores ${us(cost.compute)}, memory ${us(cost.memory)} for ${cost.bytes} bytes, streams ${us(cost.stream)}; ${(throughput(cost) / 1e12).toFixed(3)} Tops/s`,
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

/**
 * The buffer of an input or a weight.
 * @param values the tensors of the op by operand, row-major.
 */
export function packOperand(p: KernelPlan, index: number, values: (source: string) => Values): Packed {
  const operand = p.operands[index]!;
  const type = p.design.args[index]!.type;
  const packed = pack(values(operand.source), operand.tiling, type.of);
  return operand.bias ? withBias(packed, operand.bias, values(operand.bias.source)) : packed;
}

function withBias(weights: Packed, { chunk, extra, columns, tiling }: BiasRows, bias: Values): Packed {
  const lanes = pack(bias, tiling, "f32");
  const { per, chunks, beside, block } = columns;
  const [kb, nb] = block;
  const out = new Uint16Array((weights.length / chunk) * (chunk + extra));
  for (let c = 0; c < weights.length / chunk; c++) {
    const start = c * (chunk + extra);
    out.set(weights.subarray(c * chunk, (c + 1) * chunk) as Uint16Array, start);
    const first = (Math.floor(c / (chunks * beside)) * beside + (c % beside)) * per;
    for (let j = 0; j < per; j++) {
      const [group, lane] = [Math.floor(j / nb), j % nb];
      const row = Math.floor(group / 4) * kb + 2 * (group % 4);
      const high = toBf16(lanes[first + j]!);
      out[start + chunk + row * nb + lane] = high;
      out[start + chunk + (row + 1) * nb + lane] = toBf16(lanes[first + j]! - fromBf16(high));
    }
  }
  return out;
}
