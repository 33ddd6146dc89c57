/** Ops that read and write memory: memref.load and store, vector transfers, views. Every access is checked for its bounds and for poison. */
import { intsAttr, mapAttr, type Op, type Value } from "../mlir/op.ts";
import { dynamic } from "../mlir/syntax/memref.ts";
import { count, type MemRefType, showType } from "../mlir/type.ts";
import { type Emitter, isHalf, isVector, type MemoryName, type VectorName } from "./emitter.ts";

/** The offset of an element, with checks that a vector of `extents` from there stays within every dimension. */
function address(
  e: Emitter,
  op: Op,
  m: MemoryName,
  indices: readonly Value[],
  extents: readonly number[],
  place: number,
): string {
  const { shape, strides } = m.type;
  const checks: string[] = [];
  const terms = indices.map((value, d) => {
    const i = e.scalar(value);
    const last = shape[d]! - extents[d]!;
    if (/^\d+$/.test(i)) {
      if (Number(i) > last)
        e.fail(op, `touches element ${Number(i) + extents[d]! - 1} of dimension ${d} of ${showType(m.type)}`);
    } else checks.push(`if(!(${i}>=0&&${i}<=${last}))R.outside(${place},${d},${i},${extents[d]});`);
    return i === "0" || strides[d] === 0 ? "" : strides[d] === 1 ? i : `${i}*${strides[d]}`;
  });
  if (checks.length) e.line(checks.join(""));
  const at = e.fresh("a");
  e.line(`const ${at}=${[m.offset, ...terms.filter(Boolean)].join("+")};`);
  return at;
}

interface Lanes {
  readonly shape: readonly number[];
  /** In memory, in elements. */
  readonly strides: readonly number[];
}

/** Loops over all lanes; the innermost ones that are neighbours in memory are one loop. */
function loops({ shape, strides }: Lanes, at: string, body: (lane: string, address: string) => string): string {
  let inner = shape.length;
  let run = 1;
  while (inner > 0 && strides[inner - 1] === run) run *= shape[--inner]!;
  const outer = shape.slice(0, inner);
  const names = outer.map((_, d) => `j${d}`);
  const lane =
    [...names.map((n, d) => `${n}*${count(shape.slice(d + 1))}`), ...(run > 1 ? ["i"] : [])].join("+") || "0";
  const place = [at, ...names.map((n, d) => `${n}*${strides[d]}`), ...(run > 1 ? ["i"] : [])].join("+");
  const heads = outer.map((n, d) => `for(let j${d}=0;j${d}<${n};j${d}++)`);
  return `${heads.join("")}${run > 1 ? `for(let i=0;i<${run};i++)` : ""}${body(lane, place)}`;
}

function read(e: Emitter, m: MemoryName, out: VectorName, lanes: Lanes, at: string, place: number): void {
  e.line(`if(!${m.memory}.ok)R.read(${m.memory},${at},${place});`);
  const half = isHalf(m.type.element);
  e.line(
    loops(lanes, at, (lane, from) =>
      half ? `${out.bits}[${lane}]=${m.data}[${from}]<<16;` : `${out.array}[${lane}]=${m.data}[${from}];`,
    ),
  );
}

function write(e: Emitter, m: MemoryName, value: VectorName, lanes: Lanes, at: string, place: number): void {
  e.line(`if(!${m.memory}.ok)R.write(${m.memory},${at},${place});`);
  const half = isHalf(m.type.element);
  e.line(
    loops(lanes, at, (lane, to) =>
      half ? `${m.data}[${to}]=${value.bits}[${lane}]>>>16;` : `${m.data}[${to}]=${value.array}[${lane}];`,
    ),
  );
}

/** Sizes of a transfer along each dimension of memory, and strides of each lane dimension. */
function transfer(e: Emitter, op: Op, type: MemRefType, shape: readonly number[]): { lanes: Lanes; extents: number[] } {
  const { results, dims } = mapAttr(op, "permutation_map");
  if (dims !== type.shape.length || results.length !== shape.length)
    e.fail(op, "its permutation map does not fit its types");
  const extents = type.shape.map(() => 1);
  const strides = results.map((r, i) => {
    if (!("dim" in r)) return 0;
    extents[r.dim] = shape[i]!;
    return type.strides[r.dim]!;
  });
  return { lanes: { shape, strides }, extents };
}

/** @returns false where the op is of another kind. */
export function emitMemory(e: Emitter, op: Op): boolean {
  const place = (m: MemoryName, lanes: Lanes, isWrite: boolean): number =>
    e.access({ loc: op.loc, op: op.name, ...lanes, write: isWrite, memref: showType(m.type) });
  const one: Lanes = { shape: [], strides: [] };
  switch (op.name) {
    case "memref.load": {
      const m = e.memory(op.operands[0]!);
      const q = place(m, one, false);
      const at = address(
        e,
        op,
        m,
        op.operands.slice(1),
        m.type.shape.map(() => 1),
        q,
      );
      e.line(`if(!${m.memory}.ok)R.read(${m.memory},${at},${q});`);
      e.let(op.results[0]!, isHalf(m.type.element) ? `R.half(${m.data}[${at}])` : `${m.data}[${at}]`);
      return true;
    }
    case "memref.store": {
      const m = e.memory(op.operands[1]!);
      const value = e.scalar(op.operands[0]!);
      const q = place(m, one, true);
      const at = address(
        e,
        op,
        m,
        op.operands.slice(2),
        m.type.shape.map(() => 1),
        q,
      );
      e.line(`if(!${m.memory}.ok)R.write(${m.memory},${at},${q});`);
      e.line(`${m.data}[${at}]=${isHalf(m.type.element) ? `R.bits(${value})` : value};`);
      return true;
    }
    case "vector.transfer_read":
    case "vector.load": {
      const m = e.memory(op.operands[0]!);
      const rank = m.type.shape.length;
      const out = e.newVector(op.results[0]!);
      checkElement(e, op, m, out);
      const { lanes, extents } =
        op.name === "vector.load" ? trailing(e, op, m, out) : transfer(e, op, m.type, out.type.shape);
      const q = place(m, lanes, false);
      read(e, m, out, lanes, address(e, op, m, op.operands.slice(1, 1 + rank), extents, q), q);
      return true;
    }
    case "vector.transfer_write":
    case "vector.store": {
      const m = e.memory(op.operands[1]!);
      const value = e.vector(op.operands[0]!);
      checkElement(e, op, m, value);
      const { lanes, extents } =
        op.name === "vector.store" ? trailing(e, op, m, value) : transfer(e, op, m.type, value.type.shape);
      const q = place(m, lanes, true);
      write(e, m, value, lanes, address(e, op, m, op.operands.slice(2), extents, q), q);
      return true;
    }
    case "memref.subview":
      return emitSubview(e, op);
    case "memref.collapse_shape":
    case "memref.expand_shape": {
      const m = e.memory(op.operands[0]!);
      e.newMemory(op.results[0]!, m.memory, m.offset);
      return true;
    }
    case "memref.alloca": {
      const { type } = op.results[0]!;
      if (type.kind !== "memref") return false;
      const place = e.access({
        loc: op.loc,
        op: op.name,
        shape: type.shape,
        strides: type.strides,
        write: true,
        memref: showType(type),
        stack: type,
      });
      e.newMemory(op.results[0]!, `R.stack(${place})`, "0");
      return true;
    }
    default:
      return false;
  }
}

/** vector.load and vector.store move the last dimensions. */
function trailing(e: Emitter, op: Op, m: MemoryName, v: VectorName): { lanes: Lanes; extents: number[] } {
  const { shape, strides } = m.type;
  const lead = shape.length - v.type.shape.length;
  if (lead < 0) e.fail(op, "the vector has more dimensions than the memory");
  return {
    lanes: { shape: v.type.shape, strides: strides.slice(lead) },
    extents: shape.map((_, d) => (d < lead ? 1 : v.type.shape[d - lead]!)),
  };
}

function checkElement(e: Emitter, op: Op, m: MemoryName, v: VectorName): void {
  if (showType(m.type.element) !== showType(v.type.element))
    e.fail(op, `vectors of ${showType(v.type.element)} do not lie in ${showType(m.type)}`);
}

/** The view's own type says its strides; its offset follows from the offsets and the source's strides. */
function emitSubview(e: Emitter, op: Op): boolean {
  const m = e.memory(op.operands[0]!);
  const [, many] = intsAttr(op, "operandSegmentSizes");
  const operands = op.operands.slice(1, 1 + many!);
  const [offsets, sizes, steps] = [
    intsAttr(op, "static_offsets"),
    intsAttr(op, "static_sizes"),
    intsAttr(op, "static_strides"),
  ];
  if (sizes.includes(dynamic) || steps.includes(dynamic)) e.fail(op, "sizes and strides must be constants");
  const q = e.access({
    loc: op.loc,
    op: op.name,
    shape: sizes,
    strides: m.type.strides,
    write: false,
    memref: showType(m.type),
  });
  let next = 0;
  const terms = offsets.map((o, d) => {
    const last = m.type.shape[d]! - (sizes[d]! - 1) * steps[d]! - 1;
    if (o !== dynamic) {
      if (o > last) e.fail(op, `leaves dimension ${d} of ${showType(m.type)}`);
      return `${o * m.type.strides[d]!}`;
    }
    const i = e.scalar(operands[next++]!);
    e.line(`if(!(${i}>=0&&${i}<=${last}))R.outside(${q},${d},${i},${sizes[d]});`);
    return `${i}*${m.type.strides[d]}`;
  });
  const { type } = op.results[0]!;
  if (isVector(type) || type.kind !== "memref") return false;
  const kept = sizes.map((n, d) => ({ n, stride: m.type.strides[d]! * steps[d]! })).filter((d) => d.n !== 1);
  const has = type.shape.map((n, d) => ({ n, stride: type.strides[d]! })).filter((d) => d.n !== 1);
  if (JSON.stringify(kept) !== JSON.stringify(has))
    e.fail(op, `its type ${showType(type)} does not fit its sizes and strides`);
  e.newMemory(op.results[0]!, m.memory, [m.offset, ...terms.filter((t) => t !== "0")].join("+"));
  return true;
}
