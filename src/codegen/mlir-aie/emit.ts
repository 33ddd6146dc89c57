/** A design as MLIR text in the grammar of mlir-aie of mid-2026. Equal designs give equal bytes; nothing is decided here. */
import { Body, type Library } from "./body.ts";
import {
  type Core,
  type Design,
  type Dim,
  type Fifo,
  type Run,
  type Step,
  showMem,
  type Tile,
  tileName,
} from "./design.ts";

const tileId = (t: Tile): string => `%${tileName(t)}`;
const fifoType = (f: Fifo): string => `!aie.objectfifo<${showMem(f.object)}>`;

function fifo(f: Fifo): string {
  const dims = f.toStream ? ` dimensionsToStream [${f.toStream.map(dim).join(", ")}]` : "";
  const to = f.to.map(tileId).join(", ");
  const depth = typeof f.depth === "number" ? `${f.depth} : i32` : `[${f.depth.join(", ")}]`;
  const again = f.repeat ? ` {repeat_count = ${f.repeat} : i32}` : "";
  return `aie.objectfifo @${f.name}(${tileId(f.from)}${dims}, {${to}}, ${depth})${again} : ${fifoType(f)}  // ${f.carries}`;
}
const dim = ({ size, stride }: Dim): string => `<size = ${size}, stride = ${stride}>`;
const symbols = (names: readonly string[]): string => names.map((n) => `@${n}`).join(", ");

const localName = (core: Core, name: string): string => `${name}_${core.tile.col}_${core.tile.row}`;

/** The program of a core, as lines. Functions that it calls go into the library. */
function coreBody(core: Core, design: Design, library: Library): string[] {
  const objects = new Map(design.fifos.map((f) => [f.name, f.object]));
  const ports = new Map(
    Object.entries(core.ports).map(([port, symbol]) => [port, { symbol, object: objects.get(symbol)! }]),
  );
  const locals = new Map(core.locals.map((l) => [l.name, { id: `%${localName(core, l.name)}`, type: l.type }]));
  const body = new Body(ports, locals, library);
  body.for({ id: "%forever", type: "index" }, () => core.program(body), { hint: "run" });
  return ["%forever = arith.constant 9223372036854775807 : index", ...body.lines()];
}

function core(c: Core, design: Design, library: Library): string[] {
  return [
    `%program_${c.tile.col}_${c.tile.row} = aie.core(${tileId(c.tile)}) {`,
    ...coreBody(c, design, library).map((line) => `  ${line}`),
    "  aie.end",
    `} {stack_size = ${c.stack} : i32}`,
  ];
}

function step(s: Step, run: Run): string {
  if (s.kind === "wait") return `aiex.npu.dma_wait {symbol = @${s.fifo}}`;
  const arg = run.args[s.arg]!;
  const sizes = s.dims.map((d) => d.size).join(", ");
  const strides = s.dims.map((d) => d.stride).join(", ");
  const token = s.token ? ", issue_token = true" : "";
  return `aiex.npu.dma_memcpy_nd(%${arg.name}[0, 0, 0, ${s.offset}][${sizes}][${strides}]) {metadata = @${s.fifo}, id = ${s.id} : i64${token}} : ${showMem(arg.type)}`;
}

function runLines(run: Run): string[] {
  const args = run.args.map((a) => `%${a.name}: ${showMem(a.type)}`).join(", ");
  return ["", `aie.runtime_sequence @${run.name}(${args}) {`, ...run.sequence.map((s) => `  ${step(s, run)}`), "}"];
}

/** The whole module. */
export function emit(d: Design): string {
  const tiles = new Map(
    d.fifos
      .flatMap((f) => [f.from, ...f.to])
      .sort((a, b) => a.col - b.col || a.row - b.row)
      .map((t) => [tileName(t), t]),
  );
  const library: Library = new Map();
  const cores = d.cores.flatMap((c) => ["", ...core(c, d, library)]);
  const lines = [
    ...d.about.map((line) => (line ? `// ${line}` : "//")),
    "#left = affine_map<(m, n, k) -> (m, k)>",
    "#right = affine_map<(m, n, k) -> (k, n)>",
    "#out = affine_map<(m, n, k) -> (m, n)>",
    "module {",
    `  aie.device(${d.device}) {`,
    ...indent([
      ...[...tiles.values()].map((t) => `${tileId(t)} = aie.tile(${t.col}, ${t.row})`),
      "",
      ...d.fifos.map(fifo),
      ...d.links.map((l) => {
        const offsets = `[${l.offsets.join(", ")}]`;
        const [at, to] = l.from.length > 1 ? [offsets, "[]"] : l.to.length > 1 ? ["[]", offsets] : ["[]", "[]"];
        return `aie.objectfifo.link [${symbols(l.from)}] -> [${symbols(l.to)}] (${at} ${to})`;
      }),
      ...d.cores.flatMap((c) =>
        c.locals.map(
          (l) =>
            `%${localName(c, l.name)} = aie.buffer(${tileId(c.tile)}) {sym_name = "${localName(c, l.name)}"} : ${showMem(l.type)}`,
        ),
      ),
      ...[...library.values()].flatMap((f) => ["", ...f]),
      ...cores,
      ...d.runs.flatMap(runLines),
    ]),
    "  }",
    "}",
  ];
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}

const indent = (lines: readonly string[]): string[] => lines.map((line) => `    ${line}`);
