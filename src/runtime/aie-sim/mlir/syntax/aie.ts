/** Custom syntax of the dialects aie and aiex. */
import type { Attr, Attrs } from "../attribute.ts";
import type { Body, Parser, Syntaxes } from "../parser.ts";
import { readDense } from "../read-attr.ts";
import { index, int } from "../type.ts";

const i32 = (value: number): Attr => ({ kind: "int", value, type: int(32) });
const text = (value: string): Attr => ({ kind: "string", value });
const symbol = (name: string): Attr => ({ kind: "symbol", name });
const array = (items: readonly Attr[]): Attr => ({ kind: "array", items });
const ints = (values: readonly number[]): Attr => ({ kind: "ints", width: 64, values });

/** `[<size = 8, stride = 64>, ...]`: an array of dictionaries. */
const dims = (p: Parser): Attr => {
  p.in.need("[");
  return array(
    p.in.list("]", () => {
      p.in.need("<");
      const entries: Record<string, Attr> = {};
      p.in.list(">", () => {
        const [name] = p.in.take(/size|stride/, "size or stride");
        p.in.need("=");
        entries[name] = i32(p.integer());
      });
      for (const name of ["size", "stride"]) if (!entries[name]) p.in.fail(`a dimension has a ${name}`);
      return { kind: "dict", entries };
    }),
  );
};

const dimsAfter = (p: Parser, word: string): Attr => (p.in.try(new RegExp(`${word}\\b`)) ? dims(p) : array([]));

const integers = (p: Parser): number[] => {
  p.in.need("[");
  return p.in.list("]", () => p.integer());
};

const symbols = (p: Parser): Attr => {
  p.in.need("[");
  return array(p.in.list("]", () => symbol(p.symbol())));
};

const port = (p: Parser): Attr => text(p.in.take(/Produce\b|Consume\b/, "Produce or Consume")[0]);

/** `@f(Consume, 1)`. */
const access = (p: Parser): Attrs => {
  const fifo = symbol(p.symbol());
  p.in.need("(");
  const side = port(p);
  p.in.need(",");
  const size = i32(p.integer());
  p.in.need(")");
  return { objFifo_name: fifo, port: side, size };
};

/** `(%tile) { ... } {attributes}` of a core or of a DMA program. */
const onTile = (p: Parser): Body => {
  p.in.need("(");
  const tile = p.use(index);
  p.in.need(")");
  const attrs = p.in.try(/attributes\b/) ? p.attrDict() : {};
  const region = p.region();
  return { operands: [tile], results: [index], regions: [region], attrs: { ...attrs, ...p.attrDict() } };
};

const bundle = (p: Parser): [Attr, Attr] => {
  const name = text(p.in.take(/DMA\b|Core\b/, "DMA")[0]);
  p.in.need(":");
  return [name, i32(p.integer())];
};

/** `aie.dma_bd(%b : T, offset, len, [dims])`, or since July 2026 `(%b : T offset = 0 len = 16 sizes = [] strides = [])`. */
const dmaBd = (p: Parser): Body => {
  p.in.need("(");
  const buffer = p.use();
  p.in.need(":");
  p.agree(buffer, p.memref());
  const attrs: Record<string, Attr> = {};
  if (p.in.has(",")) {
    attrs.offset = i32(p.integer());
    if (p.in.has(",")) attrs.len = i32(p.integer());
    if (p.in.has(",")) attrs.dimensions = dims(p);
  } else {
    if (p.in.try(/offset\s*=/)) attrs.offset = i32(p.integer());
    if (p.in.try(/len\s*=/)) attrs.len = i32(p.integer());
    if (p.in.try(/sizes\s*=/)) {
      const sizes = integers(p);
      p.in.take(/strides\s*=/, "strides");
      const strides = integers(p);
      if (sizes.length !== strides.length) p.in.fail("as many strides as sizes are needed");
      attrs.dimensions = array(
        sizes.map((size, i) => ({ kind: "dict", entries: { size: i32(size), stride: i32(strides[i]!) } })),
      );
    }
  }
  p.in.need(")");
  return { operands: [buffer], attrs: { ...attrs, ...p.attrDict() } };
};

export const aie: Syntaxes = {
  "builtin.module": (p) => {
    const name = p.in.text[p.in.position] === "@" ? { sym_name: text(p.symbol()) } : {};
    if (p.in.try(/attributes\b/)) p.attrDict();
    return { regions: [p.region()], attrs: name };
  },
  "aie.device": (p) => {
    p.in.need("(");
    const device = text(p.in.take(/\w+/, "a device")[0]);
    p.in.need(")");
    const name = p.in.text[p.in.position] === "@" ? { sym_name: text(p.symbol()) } : {};
    return { attrs: { device, ...name }, regions: [p.region()] };
  },
  "aie.tile": (p) => {
    p.in.need("(");
    const col = i32(p.integer());
    p.in.need(",");
    const row = i32(p.integer());
    p.in.need(")");
    return { attrs: { col, row, ...p.attrDict() }, results: [index] };
  },
  "aie.objectfifo": (p) => {
    const sym_name = text(p.symbol());
    p.in.need("(");
    const producer = p.use(index);
    const dimensionsToStream = dimsAfter(p, "dimensionsToStream");
    p.in.need(",");
    p.in.need("{");
    const from: Attr[] = [];
    const consumers = p.in.list("}", () => {
      const tile = p.use(index);
      from.push(dimsAfter(p, "dimensionsFromStream"));
      return tile;
    });
    p.in.need(",");
    const elemNumber = p.attr();
    p.in.need(")");
    const attrs = p.attrDict();
    p.in.need(":");
    const at = p.in.position;
    const elemType = p.type();
    if (elemType.kind !== "fifo") p.in.fail("an objectFIFO has a type !aie.objectfifo<memref<...>>", at);
    const own = { sym_name, elemNumber, elemType: { kind: "type", type: elemType } as const, dimensionsToStream };
    return {
      operands: [producer, ...consumers],
      attrs: { ...own, dimensionsFromStreamPerConsumer: array(from), ...attrs },
    };
  },
  "aie.objectfifo.link": (p) => {
    const fifoIns = symbols(p);
    p.in.need("->");
    const fifoOuts = symbols(p);
    p.in.need("(");
    const src_offsets = ints(integers(p));
    p.in.has(",");
    const dst_offsets = ints(integers(p));
    p.in.need(")");
    return { attrs: { fifoIns, fifoOuts, src_offsets, dst_offsets, ...p.attrDict() } };
  },
  "aie.objectfifo.acquire": (p) => {
    const attrs = access(p);
    p.in.need(":");
    return { attrs, results: [p.type()] };
  },
  "aie.objectfifo.release": (p) => ({ attrs: access(p) }),
  "aie.objectfifo.subview.access": (p) => {
    const view = p.use();
    p.in.need("[");
    const attrs = { index: i32(p.integer()) };
    p.in.need("]");
    p.in.need(":");
    p.agree(view, p.type());
    p.in.need("->");
    const type = p.memref();
    if (view.type.kind !== "subview") p.in.fail(`${view.name} is not a subview of an objectFIFO`);
    return { operands: [view], attrs, results: [type] };
  },
  "aie.core": onTile,
  "aie.mem": onTile,
  "aie.memtile_dma": onTile,
  "aie.buffer": (p) => {
    p.in.need("(");
    const tile = p.use(index);
    p.in.need(")");
    const attrs = p.attrDict();
    p.in.need(":");
    const type = p.memref();
    const initial = p.in.try(/=\s*dense</) ? { initial_value: readDense(p.in, type) } : {};
    return { operands: [tile], attrs: { ...attrs, ...initial }, results: [type] };
  },
  "aie.lock": (p) => {
    p.in.need("(");
    const tile = p.use(index);
    const lockID = p.in.has(",") ? { lockID: i32(p.integer()) } : {};
    p.in.need(")");
    return { operands: [tile], attrs: { ...lockID, ...p.attrDict() }, results: [index] };
  },
  "aie.use_lock": (p) => {
    p.in.need("(");
    const lock = p.use(index);
    p.in.need(",");
    const action = text(
      p.in.take(/AcquireGreaterEqual\b|Acquire\b|Release\b/, "Acquire, AcquireGreaterEqual or Release")[0],
    );
    const given = p.in.has(",") ? p.in.text[p.in.position] : undefined;
    const value = given === "%" ? [p.use()] : [];
    const attrs = given === undefined || given === "%" ? {} : { value: i32(p.integer()) };
    p.in.need(")");
    return { operands: [lock, ...value], attrs: { action, ...attrs } };
  },
  "aie.dma_start": (p) => {
    p.in.need("(");
    const channel_dir = text(p.in.take(/S2MM\b|MM2S\b/, "S2MM or MM2S")[0]);
    p.in.need(",");
    const channel_index = i32(p.integer());
    p.in.need(",");
    const first = p.successor();
    p.in.need(",");
    const rest = p.successor();
    const repeat = p.in.has(",") && p.in.try(/repeat_count\s*=/) ? { repeat_count: i32(p.integer()) } : {};
    p.in.need(")");
    return { attrs: { channel_dir, channel_index, ...repeat }, successors: [first, rest], results: [int(1)] };
  },
  "aie.dma_bd": dmaBd,
  "aie.next_bd": (p) => ({ successors: [p.successor()] }),
  "aie.end": () => ({}),
  "aie.flow": (p) => {
    p.in.need("(");
    const source = p.use(index);
    p.in.need(",");
    const [source_bundle, source_channel] = bundle(p);
    p.in.need(",");
    const dest = p.use(index);
    p.in.need(",");
    const [dest_bundle, dest_channel] = bundle(p);
    p.in.need(")");
    return { operands: [source, dest], attrs: { source_bundle, source_channel, dest_bundle, dest_channel } };
  },
  "aie.shim_dma_allocation": (p) => {
    const sym_name = text(p.symbol());
    p.in.need("(");
    const tile = p.use(index);
    p.in.need(",");
    const channel_dir = text(p.in.take(/S2MM\b|MM2S\b/, "S2MM or MM2S")[0]);
    p.in.need(",");
    const channel_index = i32(p.integer());
    p.in.need(")");
    return { operands: [tile], attrs: { sym_name, channel_dir, channel_index, ...p.attrDict() } };
  },
  "aie.runtime_sequence": (p) => {
    const name = p.in.text[p.in.position] === "@" ? { sym_name: text(p.symbol()) } : {};
    p.in.need("(");
    const args = p.in.list(")", () => p.argument());
    return { attrs: name, regions: [p.region(args)] };
  },
  "aiex.npu.dma_memcpy_nd": (p) => {
    p.in.need("(");
    const buffer = p.use();
    const [static_offsets, static_sizes, static_strides] = [ints(integers(p)), ints(integers(p)), ints(integers(p))];
    p.in.need(")");
    const attrs = p.attrDict();
    p.in.need(":");
    p.agree(buffer, p.memref());
    return { operands: [buffer], attrs: { static_offsets, static_sizes, static_strides, ...attrs } };
  },
  "aiex.npu.dma_wait": (p) => ({ attrs: p.attrDict() }),
};
