/** Attributes of ops, and how they are written in MLIR's generic form. */
import { showType, type Type } from "./type.ts";

/** A result of an affine map: one of its dimensions, or a constant. */
export type MapResult = { readonly dim: number } | { readonly constant: number };

export type Attr =
  | { readonly kind: "int"; readonly value: number; readonly type: Type }
  | { readonly kind: "float"; readonly value: number; readonly type: Type }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "symbol"; readonly name: string }
  | { readonly kind: "array"; readonly items: readonly Attr[] }
  | { readonly kind: "ints"; readonly width: number; readonly values: readonly number[] }
  | { readonly kind: "dict"; readonly entries: Attrs }
  /** One value, or all of them in row-major order. */
  | { readonly kind: "dense"; readonly values: readonly number[]; readonly type: Type }
  | { readonly kind: "map"; readonly dims: number; readonly results: readonly MapResult[] }
  | { readonly kind: "type"; readonly type: Type }
  /** An attribute of a dialect, as written: `#vector.kind<add>`. */
  | { readonly kind: "dialect"; readonly text: string }
  | { readonly kind: "unit" };

export type Attrs = Readonly<Record<string, Attr>>;

/** A float that MLIR reads back as the same number; it wants a point, and bit patterns for what is not finite. */
function showFloat(value: number, type: Type): string {
  if (Number.isFinite(value)) {
    const text =
      Math.abs(value) >= 1e21 || (value !== 0 && Math.abs(value) < 1e-6) ? value.toExponential() : `${value}`;
    const [mantissa, exponent] = text.split("e");
    const point = mantissa!.includes(".") ? mantissa! : `${mantissa}.0`;
    return `${Object.is(value, -0) ? "-0.0" : point}${exponent === undefined ? "" : `e${exponent}`}`;
  }
  const bits = new Uint32Array(new Float32Array([value]).buffer)[0]!;
  const half = type.kind === "float" && type.name === "bf16";
  return `0x${(half ? bits >>> 16 : bits)
    .toString(16)
    .toUpperCase()
    .padStart(half ? 4 : 8, "0")}`;
}

/** Bounds of endless loops are the largest integer there is, which a double rounds up. */
const showInteger = (value: number): string => `${value >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(value)}`;

const number = (value: number, type: Type): string => {
  const element = type.kind === "vector" ? type.element : type;
  return element.kind === "float" ? showFloat(value, element) : showInteger(value);
};

function dense(values: readonly number[], type: Type): string {
  if (values.length === 1) return number(values[0]!, type);
  const nest = (shape: readonly number[], part: readonly number[]): string => {
    if (shape.length === 0) return number(part[0]!, type);
    const step = part.length / shape[0]!;
    const rows = Array.from({ length: shape[0]! }, (_, i) => part.slice(i * step, (i + 1) * step));
    return `[${rows.map((row) => nest(shape.slice(1), row)).join(", ")}]`;
  };
  return nest(type.kind === "vector" || type.kind === "memref" ? type.shape : [values.length], values);
}

/** A dense attribute has a tensor or vector type, also where it fills a memref. */
const denseType = (t: Type): string => showType(t).replace(/^memref</, "tensor<");

export function showAttr(a: Attr): string {
  switch (a.kind) {
    case "int":
      return `${showInteger(a.value)} : ${showType(a.type)}`;
    case "float":
      return `${showFloat(a.value, a.type)} : ${showType(a.type)}`;
    case "bool":
      return `${a.value}`;
    case "string":
      return JSON.stringify(a.value);
    case "symbol":
      return `@${a.name}`;
    case "array":
      return `[${a.items.map(showAttr).join(", ")}]`;
    case "ints":
      return `array<i${a.width}${a.values.length ? `: ${a.values.join(", ")}` : ""}>`;
    case "dict":
      return `{${showEntries(a.entries)}}`;
    case "dense":
      return `dense<${dense(a.values, a.type)}> : ${denseType(a.type)}`;
    case "map": {
      const results = a.results.map((r) => ("dim" in r ? `d${r.dim}` : `${r.constant}`));
      return `affine_map<(${Array.from({ length: a.dims }, (_, i) => `d${i}`).join(", ")}) -> (${results.join(", ")})>`;
    }
    case "type":
      return showType(a.type);
    case "dialect":
      return a.text;
    case "unit":
      return "unit";
  }
}

export const showEntries = (entries: Attrs): string =>
  Object.entries(entries)
    .map(([name, a]) => (a.kind === "unit" ? name : `${name} = ${showAttr(a)}`))
    .join(", ");
