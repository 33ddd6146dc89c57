/** A recursive-descent parser for the custom syntax of the ops in `syntax/`. What is not known is an error with its place. */
import type { Loc } from "../../../ir/error.ts";
import { nearest } from "../../../ir/nearest.ts";
import { Scanner } from "../../../ir/scan.ts";
import type { Attr, Attrs } from "./attribute.ts";
import type { Block, Op, Region, Value } from "./op.ts";
import { readAttr, readAttrDict } from "./read-attr.ts";
import { readInteger } from "./read-integer.ts";
import { readMemRef, readResults, readType } from "./read-type.ts";
import { index, type MemRefType, showType, type Type } from "./type.ts";

/** An op without what the parser itself knows: its name, results' names and place. */
export interface Body {
  readonly operands?: readonly Value[];
  readonly results?: readonly Type[];
  readonly attrs?: Attrs;
  readonly regions?: readonly Region[];
  readonly successors?: readonly string[];
}

export type Syntax = (p: Parser, op: { readonly name: string; readonly loc: Loc }) => Body;
export type Syntaxes = Readonly<Record<string, Syntax>>;

const valueName = /%([A-Za-z0-9_$.-]+)/;
const bare = /[A-Za-z_][\w$.]*/;

export class Parser {
  readonly in: Scanner;
  readonly #syntaxes: Syntaxes;
  readonly #aliases = new Map<string, Attr>();
  /** Innermost last. */
  readonly #scopes: Map<string, Value>[] = [new Map()];

  constructor(text: string, file: string, syntaxes: Syntaxes) {
    this.in = new Scanner(text, file);
    this.#syntaxes = syntaxes;
  }

  /** The whole text: aliases of attributes and one op. */
  module(): Op {
    for (let alias = this.in.try(/#([\w$.]+)\s*=/); alias; alias = this.in.try(/#([\w$.]+)\s*=/))
      this.#aliases.set(alias[1]!, this.attr());
    const op = this.op();
    if (op.name !== "builtin.module") this.in.fail("the text is not a module", 0);
    if (this.in.position < this.in.text.length) this.in.unexpected("the end of the text");
    return op;
  }

  op(): Op {
    const at = this.in.position;
    const names: { name: string; loc: Loc }[] = [];
    if (this.in.text[at] === "%") {
      do {
        const loc = this.in.loc();
        const [, name] = this.in.take(valueName, "a value");
        const many = this.in.try(/:(\d+)/);
        if (many) for (let i = 0; i < Number(many[1]); i++) names.push({ name: `%${name}#${i}`, loc });
        else names.push({ name: `%${name}`, loc });
      } while (this.in.has(","));
      this.in.need("=");
    }
    const start = this.in.position;
    const loc = this.in.loc();
    const [word] = this.in.take(bare, "an op");
    const name = Object.hasOwn(short, word) ? short[word]! : word;
    const syntax = Object.hasOwn(this.#syntaxes, name) ? this.#syntaxes[name] : undefined;
    if (!syntax) {
      const meant = nearest(name, Object.keys(this.#syntaxes));
      this.in.fail(`${word} is not an op of the subset that is read here`, start, meant && `${meant}?`);
    }
    const body = syntax(this, { name, loc });
    const types = body.results ?? [];
    // The results of an op that nobody names, such as a core, may be left out.
    if (names.length > 0 && names.length !== types.length)
      this.in.fail(`${name} yields ${types.length} values, not ${names.length}`, at);
    const results: Value[] = [];
    const op: Op = {
      name,
      operands: body.operands ?? [],
      results,
      attrs: body.attrs ?? {},
      regions: body.regions ?? [],
      successors: body.successors ?? [],
      loc,
    };
    for (const [i, type] of types.entries()) {
      const value = { name: names[i]?.name ?? "%_", type, loc: names[i]?.loc ?? loc, definition: op };
      results.push(value);
      if (names[i]) this.define(value);
    }
    return op;
  }

  define(value: Value): void {
    if (this.#find(value.name)) this.in.fail(`${value.name} is defined twice`);
    this.#scopes.at(-1)!.set(value.name, value);
  }

  #find(name: string): Value | undefined {
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const found = this.#scopes[i]!.get(name);
      if (found) return found;
    }
    return undefined;
  }

  /** A use of a value. @throws HeddleError where it has another type than wanted. */
  use(type?: Type): Value {
    const at = this.in.position;
    const [, base] = this.in.take(valueName, "a value");
    const part = this.in.try(/#(\d+)/);
    const name = `%${base}${part ? `#${part[1]}` : ""}`;
    const value = this.#find(name) ?? this.#find(`${name}#0`);
    if (!value) return this.in.fail(`${name} is not defined before it is used`, at);
    if (type) this.agree(value, type, at);
    return value;
  }

  /** A comma and a use. */
  another(): Value {
    this.in.need(",");
    return this.use();
  }

  agree(value: Value, type: Type, at = this.in.position): Value {
    if (showType(value.type) !== showType(type))
      this.in.fail(`${value.name} is of type ${showType(value.type)}, not ${showType(type)}`, at);
    return value;
  }

  uses(): Value[] {
    const values: Value[] = [];
    if (this.in.text[this.in.position] !== "%") return values;
    do values.push(this.use());
    while (this.in.has(","));
    return values;
  }

  /** `[%i, %j]`, indices. */
  indices(): Value[] {
    this.in.need("[");
    return this.in.list("]", () => this.use(index));
  }

  /** `{ ops }`, with its own names. @param args of the first block, where the op's syntax declares them. */
  region(args: readonly Value[] = []): Region {
    this.in.need("{");
    this.#scopes.push(new Map());
    for (const a of args) this.define(a);
    const blocks: { label: string | undefined; args: readonly Value[]; ops: Op[] }[] = [];
    if (!/\^/.test(this.in.text[this.in.position] ?? "")) blocks.push({ label: undefined, args, ops: [] });
    while (!this.in.has("}")) {
      const label = this.in.try(/\^([\w$.-]+)/)?.[1];
      if (label === undefined) blocks.at(-1)!.ops.push(this.op());
      else {
        const own = this.in.has("(") ? this.in.list(")", () => this.argument()) : [];
        for (const a of own) this.define(a);
        this.in.need(":");
        blocks.push({ label: `^${label}`, args: own, ops: [] });
      }
    }
    this.#scopes.pop();
    return blocks as Block[];
  }

  /** `%x: type`, not yet defined. */
  argument(): Value {
    const loc = this.in.loc();
    const [, name] = this.in.take(valueName, "an argument");
    this.in.need(":");
    return { name: `%${name}`, type: this.type(), loc, definition: undefined };
  }

  successor(): string {
    return `^${this.in.take(/\^([\w$.-]+)/, "a block")[1]}`;
  }

  integer(): number {
    return readInteger(this.in);
  }

  symbol(): string {
    return this.in.take(/@([\w$.-]+)/, "a symbol, @name")[1]!;
  }

  type(): Type {
    return readType(this.in);
  }

  /** One type, or several in parentheses. */
  results(): Type[] {
    return readResults(this.in);
  }

  memref(): MemRefType {
    return readMemRef(this.in);
  }

  /** `{name = value, flag}`, or nothing. */
  attrDict(): Attrs {
    return readAttrDict(this.in, this.#aliases);
  }

  attr(): Attr {
    return readAttr(this.in, this.#aliases);
  }
}

/** Ops that may be written without their dialect. */
const short: Readonly<Record<string, string>> = {
  module: "builtin.module",
  return: "func.return",
  call: "func.call",
};
