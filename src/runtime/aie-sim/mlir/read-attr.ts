/** Reads attributes. */
import type { Scanner } from "../../../ir/scan.ts";
import type { Attr, Attrs, MapResult } from "./attribute.ts";
import { readInteger } from "./read-integer.ts";
import { readType } from "./read-type.ts";
import { elementOf, isScalar, type Type } from "./type.ts";

type Aliases = ReadonlyMap<string, Attr>;

const bare = /[A-Za-z_][\w$.]*/;
const float = /-?(?:\d+\.\d*(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)/;

/** `{name = value, flag}`, or nothing. */
export function readAttrDict(s: Scanner, aliases: Aliases): Attrs {
  // No prototype: names come from the text.
  const entries = Object.create(null) as Record<string, Attr>;
  if (!s.has("{")) return entries;
  s.list("}", () => {
    const name = s.try(/"([^"]+)"/)?.[1] ?? s.take(bare, "an attribute")[0];
    entries[name] = s.has("=") ? readAttr(s, aliases) : { kind: "unit" };
  });
  return entries;
}

export function readAttr(s: Scanner, aliases: Aliases): Attr {
  if (s.has("[")) return { kind: "array", items: s.list("]", () => readAttr(s, aliases)) };
  if (s.text[s.position] === "{") return { kind: "dict", entries: readAttrDict(s, aliases) };
  const symbol = s.try(/@([\w$.-]+)/);
  if (symbol) return { kind: "symbol", name: symbol[1]! };
  const text = s.try(/"([^"\\\n]*)"/);
  if (text) return { kind: "string", value: text[1]! };
  if (s.try(/true\b/)) return { kind: "bool", value: true };
  if (s.try(/false\b/)) return { kind: "bool", value: false };
  if (s.try(/unit\b/)) return { kind: "unit" };
  if (s.try(/affine_map</)) return readMap(s);
  if (s.try(/array</)) return readInts(s);
  if (s.try(/dense</)) return readDense(s);
  const reference = s.try(/#([\w$.]+)(<[^>]*>)?/);
  if (reference) {
    const alias = reference[2] === undefined ? aliases.get(reference[1]!) : undefined;
    return alias ?? { kind: "dialect", text: `#${reference[1]}${reference[2] ?? ""}` };
  }
  if (/[-\d]/.test(s.text[s.position] ?? "")) return readNumber(s);
  return { kind: "type", type: readType(s) };
}

/** A number, and its type after a colon; without one a float is f64 and an integer i64, as upstream. */
function readNumber(s: Scanner): Attr {
  const real = s.try(float)?.[0];
  const value = real === undefined ? readInteger(s) : Number(real);
  const at = s.position;
  const type = s.has(":") ? readType(s) : undefined;
  if (type && !isScalar(type)) s.fail("a number has a scalar type", at);
  if (type?.kind === "float" || (!type && real !== undefined)) {
    const floating: Type = type ?? { kind: "float", name: "f64" };
    return { kind: "float", value: real === undefined ? fromBits(value, floating) : value, type: floating };
  }
  return { kind: "int", value, type: type ?? { kind: "int", width: 64 } };
}

function readInts(s: Scanner): Attr {
  const width = Number(s.take(/i(\d+)/, "an integer type")[1]);
  if (s.has(">")) return { kind: "ints", width, values: [] };
  s.need(":");
  return { kind: "ints", width, values: s.list(">", () => readInteger(s)) };
}

/** @param given the type, where the text does not repeat it. */
export function readDense(s: Scanner, given?: Type): Attr {
  const values: { value: number; bits: boolean }[] = [];
  const element = (): void => {
    if (s.has("[")) return void s.list("]", element);
    const truth = s.try(/(true|false)\b/);
    if (truth) return void values.push({ value: Number(truth[1] === "true"), bits: false });
    const real = s.try(float)?.[0];
    const bits = real === undefined && s.text.startsWith("0x", s.position);
    values.push({ value: real === undefined ? readInteger(s) : Number(real), bits });
  };
  element();
  s.need(">");
  if (!given) s.need(":");
  const type = given ?? readType(s);
  return { kind: "dense", values: values.map((v) => (v.bits ? fromBits(v.value, elementOf(type)) : v.value)), type };
}

/** A hexadecimal number is the bit pattern of a float. */
function fromBits(bits: number, type: Type): number {
  if (type.kind !== "float" || (type.name !== "f32" && type.name !== "bf16")) return bits;
  return new Float32Array(new Uint32Array([type.name === "bf16" ? bits << 16 : bits]).buffer)[0]!;
}

function readMap(s: Scanner): Attr {
  s.need("(");
  const dims = s.list(")", () => s.take(bare, "a dimension")[0]);
  s.need("->");
  s.need("(");
  const results = s.list(")", (): MapResult => {
    const at = s.position;
    const constant = s.try(/\d+/);
    if (constant) return { constant: Number(constant[0]) };
    const dim = dims.indexOf(s.take(bare, "a dimension")[0]);
    if (dim < 0 || !/[,)]/.test(s.text[s.position] ?? ""))
      s.fail("only maps that pick dimensions or constants are supported", at);
    return { dim };
  });
  s.need(">");
  return { kind: "map", dims: dims.length, results };
}
