/** Reads types. */
import type { Scanner } from "../../../ir/scan.ts";
import { readInteger } from "./read-integer.ts";
import { count, index, type MemRefType, rowMajor, type ScalarType, showType, type Type } from "./type.ts";

export function readType(s: Scanner): Type {
  const at = s.position;
  if (s.try(/!aie\.objectfifosubview</)) return { kind: "subview", element: inside(s) };
  if (s.try(/!aie\.objectfifo</)) return { kind: "fifo", element: inside(s) };
  if (s.try(/vector</)) {
    const { shape, element } = readShape(s);
    s.need(">");
    // Registers hold a few hundred bytes; anything beyond this is a mistake.
    if (count(shape) > 4096) s.fail(`a vector of ${count(shape)} lanes is not of the subset; at most 4096`, at);
    return { kind: "vector", shape, element };
  }
  if (s.try(/(?:memref|tensor)</)) return readLayout(s);
  if (s.has("(")) {
    const inputs = s.list(")", () => readType(s));
    s.need("->");
    return { kind: "function", inputs, results: readResults(s) };
  }
  return readScalar(s);
}

/** One type, or several in parentheses. */
export const readResults = (s: Scanner): Type[] => (s.has("(") ? s.list(")", () => readType(s)) : [readType(s)]);

export function readMemRef(s: Scanner): MemRefType {
  const at = s.position;
  const type = readType(s);
  return type.kind === "memref" ? type : s.fail(`expected a memref, not ${showType(type)}`, at);
}

function inside(s: Scanner): MemRefType {
  const type = readMemRef(s);
  s.need(">");
  return type;
}

function readScalar(s: Scanner): ScalarType {
  const [word] = s.take(/index\b|[su]?i\d+\b|f32\b|bf16\b|f16\b|f64\b/, "a type");
  if (word === "index") return index;
  if (word === "f32" || word === "bf16" || word === "f16" || word === "f64") return { kind: "float", name: word };
  return { kind: "int", width: Number(word.replace(/\D/g, "")) };
}

function readShape(s: Scanner): { shape: number[]; element: ScalarType } {
  const shape: number[] = [];
  for (let dim = s.try(/(\d+|\?)x/); dim; dim = s.try(/(\d+|\?)x/)) {
    if (dim[1] === "?") s.fail("sizes that are not known before the run are not supported");
    if (Number(dim[1]) === 0) s.fail("a size of 0 holds nothing");
    shape.push(Number(dim[1]));
  }
  return { shape, element: readScalar(s) };
}

function readLayout(s: Scanner): MemRefType {
  const { shape, element } = readShape(s);
  const start = s.position;
  let [strides, offset]: [number[], number | undefined] = [rowMajor(shape), 0];
  if (s.has(",") && s.has("strided<[")) {
    strides = s.list("]", () => readInteger(s));
    if (s.has(",")) {
      s.need("offset:");
      offset = s.has("?") ? undefined : readInteger(s);
    }
    s.need(">");
    s.has(",");
  }
  // The memory space, which means nothing here.
  s.try(/\d+\s*:\s*i\d+|\d+/);
  const suffix = s.text.slice(start, s.position).trimEnd();
  s.need(">");
  if (strides.length !== shape.length) s.fail("the layout has another rank than the shape", start);
  return { kind: "memref", shape, element, strides, offset, suffix };
}
