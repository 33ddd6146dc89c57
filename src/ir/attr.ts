/** Attributes: named compile-time constants of an op. Each kind knows how to check a value and how it reads as text. */
import { type Dim, type DType, dtypes, showDim } from "./type.ts";

export type AttrValue = number | boolean | string | readonly number[] | readonly Dim[] | Dim;
export type Attrs = Readonly<Record<string, AttrValue>>;

export interface AttrKind<T extends AttrValue> {
  readonly kind: string;
  /** What a value must be, for errors. */
  readonly expects: string;
  readonly default?: T;
  is(value: unknown): value is T;
}
export type AttrSpec = Readonly<Record<string, AttrKind<AttrValue>>>;
type HasDefault<K> = K extends { readonly default: unknown } ? true : false;
type Value<K> = K extends AttrKind<infer T> ? T : never;
type RequiredKeys<S> = { [K in keyof S]: HasDefault<S[K]> extends true ? never : K }[keyof S];

/** What the author passes: attributes with a default may be left out. */
export type AttrsIn<S extends AttrSpec> = { readonly [K in RequiredKeys<S>]: Value<S[K]> } & {
  readonly [K in Exclude<keyof S, RequiredKeys<S>>]?: Value<S[K]>;
};
/** What a node carries: all of them. */
export type AttrsOf<S extends AttrSpec> = { readonly [K in keyof S]: Value<S[K]> };

const isInt = (v: unknown): v is number => Number.isSafeInteger(v);
const isDim = (v: unknown): v is Dim => (isInt(v) && v >= 0) || (typeof v === "object" && v !== null && "sym" in v);
const kind = <T extends AttrValue>(name: string, expects: string, is: (v: unknown) => v is T): AttrKind<T> => ({
  kind: name,
  expects,
  is,
});

export const attr = {
  int: kind("int", "an integer", isInt),
  float: kind("float", "a finite number", (v): v is number => typeof v === "number" && Number.isFinite(v)),
  bool: kind("bool", "true or false", (v): v is boolean => typeof v === "boolean"),
  string: kind("string", "a string", (v): v is string => typeof v === "string"),
  dtype: kind("dtype", `one of ${dtypes.join(", ")}`, (v): v is DType => dtypes.includes(v as DType)),
  ints: kind("ints", "a list of integers", (v): v is readonly number[] => Array.isArray(v) && v.every(isInt)),
  floats: kind(
    "floats",
    "a list of numbers",
    (v): v is readonly number[] => Array.isArray(v) && v.every((x) => typeof x === "number"),
  ),
  dim: kind("dim", "a size: a whole number or a symbol", isDim),
  dims: kind("dims", "a list of sizes", (v): v is readonly Dim[] => Array.isArray(v) && v.every(isDim)),
} as const;

/** The same kind with a value for when it is left out. */
export const optional = <T extends AttrValue>(k: AttrKind<T>, value: T): AttrKind<T> & { readonly default: T } => ({
  ...k,
  default: value,
});

/** Every number as text that reads back as itself, which JSON does not do for infinities and minus zero. */
const showNumber = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));

/** Attributes as text in declared order: `{axis=1, causal=true, dims=[T,12,64]}`; empty for none. */
export function showAttrs(spec: AttrSpec, attrs: Attrs): string {
  const one = (v: AttrValue): string => {
    if (Array.isArray(v)) return `[${v.map((d) => (typeof d === "object" ? showDim(d) : showNumber(d))).join(",")}]`;
    if (typeof v === "object") return showDim(v as Dim);
    return typeof v === "number" ? showNumber(v) : JSON.stringify(v);
  };
  const parts = Object.keys(spec).map((k) => `${k}=${one(attrs[k]!)}`);
  return parts.length ? ` {${parts.join(", ")}}` : "";
}
