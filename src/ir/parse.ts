/** Text to graph: the inverse of `print`. */
import type { AttrKind, AttrSpec, AttrValue } from "./attr.ts";
import { type Loc, rethrow, showLoc } from "./error.ts";
import { type Graph, graph, type State } from "./graph.ts";
import { nearest } from "./nearest.ts";
import type { Node } from "./node.ts";
import { type AnyOp, allOps, findOp } from "./op.ts";
import { inputOp } from "./ops/input.ts";
import "./ops/index.ts";
import { isTyped } from "./print.ts";
import { Scanner } from "./scan.ts";
import { type Dim, type DType, dtypes, type Quant, type Sym, showType, type TensorType } from "./type.ts";

/**
 * Reads one graph in the format of `print`. Every node is located at its line of the text.
 * @param file what errors call the text
 * @throws HeddleError at file:line:column with what was expected there.
 */
export function parse(text: string, file = "<text>"): Graph {
  const parser = new Parser(new Scanner(text, file));
  return parser.graph();
}

const number = /-?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|Infinity)|NaN/;
/** A name ends at white space or at anything that the text uses as punctuation. */
const name = /[^\s(),:{}[\]<>=%@"]+/;
const valueName = new RegExp(`%(${name.source})`);

class Parser {
  readonly #in: Scanner;
  readonly #symbols = new Map<string, Sym>();
  readonly #values = new Map<string, Node>();

  constructor(scanner: Scanner) {
    this.#in = scanner;
  }

  graph(): Graph {
    this.#in.need("graph");
    const [, title] = this.#in.take(new RegExp(`@(${name.source})`), "the graph's name, @name");
    if (this.#in.has("<")) this.#in.list(">", () => this.#symbol());
    this.#in.need("(");
    const inputs = this.#in.list(")", () => this.#input());
    this.#in.need("{");
    const state: State[] = [];
    while (!this.#in.has("return")) {
      if (this.#in.try(/state(?=\s)/)) state.push(this.#state());
      else this.#line();
    }
    const outputs = [this.#use()];
    while (this.#in.has(",")) outputs.push(this.#use());
    this.#in.need("}");
    if (this.#in.position < this.#in.text.length) this.#in.unexpected("the end of the text");
    return graph(title!, { inputs, outputs, state });
  }

  #symbol(): void {
    const at = this.#in.position;
    const [sym] = this.#in.take(/[A-Za-z_]\w*/, "a symbol");
    if (this.#symbols.has(sym)) this.#in.fail(`symbol ${sym} is declared twice`, at);
    this.#in.need("in");
    const min = this.#number();
    this.#in.need("..");
    this.#symbols.set(sym, { sym, min, max: this.#number() });
  }

  #input(): Node {
    const at = this.#in.position;
    const [, title] = this.#in.take(valueName, "an input, %name: type");
    this.#in.need(":");
    const type = this.#type();
    const { dtype, shape, quant } = type;
    const encoding = quant && { scale: quant.scales[0]!, offset: quant.offsets[0]! };
    return this.#define(title!, at, (loc) => inputOp.build([], { dtype, shape, ...encoding }, { name: title!, loc }));
  }

  #state(): State {
    const cache = this.#use();
    this.#in.need("<-");
    return { cache, next: this.#use() };
  }

  #line(): void {
    const at = this.#in.position;
    const [, title] = this.#in.take(valueName, 'a value (%name = op(...)), "state" or "return"');
    this.#in.need("=");
    const op = this.#op();
    const operands = op.inputs.length ? this.#operands() : [];
    const given = this.#in.has("{") ? this.#attrs(op) : {};
    this.#in.need(":");
    const typeAt = this.#in.position;
    const type = this.#type();
    const attrs = isTyped({ op }) ? { ...given, dtype: type.dtype, shape: type.shape } : given;
    const node = this.#define(title!, at, (loc) => op.build(operands, attrs, { name: title!, loc }));
    if (showType(node.type) !== showType(type))
      this.#in.fail(`%${title} is written as ${showType(type)} but ${op.name} yields ${showType(node.type)}`, typeAt);
  }

  #op(): AnyOp {
    const at = this.#in.position;
    const [word] = this.#in.take(/[A-Za-z]\w*/, "an op");
    const op = findOp(word);
    if (op) return op;
    const near = nearest(
      word,
      allOps().map((o) => o.name),
    );
    return this.#in.fail(`there is no op ${word}`, at, near);
  }

  #operands(): Node[] {
    this.#in.need("(");
    return this.#in.list(")", () => this.#use());
  }

  #define(title: string, at: number, build: (loc: Loc) => Node): Node {
    const known = this.#values.get(title);
    if (known) this.#in.fail(`%${title} is defined twice, first at ${showLoc(known.loc!)}`, at);
    const node = build(this.#in.loc(at));
    this.#values.set(title, node);
    return node;
  }

  #use(): Node {
    const at = this.#in.position;
    const [, title] = this.#in.take(valueName, "a value, %name");
    const node = this.#values.get(title!);
    if (node) return node;
    const near = nearest(title!, this.#values.keys());
    return this.#in.fail(`%${title} is not defined above this line`, at, near && `%${near}`);
  }

  #attrs(op: AnyOp): Record<string, AttrValue> {
    const { dtype: _d, shape: _s, ...leaf } = op.attrs;
    const spec: AttrSpec = isTyped({ op }) ? leaf : op.attrs;
    const attrs: Record<string, AttrValue> = {};
    this.#in.list("}", () => {
      const at = this.#in.position;
      const [key] = this.#in.take(/[A-Za-z]\w*/, "an attribute, name=value");
      const kind = Object.hasOwn(spec, key) ? spec[key] : undefined;
      if (!kind)
        return this.#in.fail(
          `${op.name} has no attribute ${key}`,
          at,
          nearest(key, Object.keys(spec)) ?? Object.keys(spec).join(", "),
        );
      if (Object.hasOwn(attrs, key)) this.#in.fail(`attribute ${key} is given twice`, at);
      this.#in.need("=");
      attrs[key] = this.#attr(kind);
    });
    return attrs;
  }

  #attr({ kind, expects }: AttrKind<AttrValue>): AttrValue {
    const at = this.#in.position;
    switch (kind) {
      case "ints":
      case "floats":
      case "dims":
        if (!this.#in.has("[")) return this.#in.unexpected(expects);
        return this.#in.list("]", () => (kind === "dims" ? this.#dim() : this.#number()));
      case "dim":
        return this.#dim();
      case "bool":
        return this.#in.take(/true\b|false\b/, expects)[0] === "true";
      case "string":
      case "dtype":
        try {
          return JSON.parse(this.#in.take(/"(?:[^"\\\n]|\\.)*"/, `${expects}, in quotes`)[0]) as string;
        } catch (e) {
          return rethrow(e, { loc: this.#in.loc(at) });
        }
      default:
        return this.#number();
    }
  }

  #number(): number {
    return Number(this.#in.take(number, "a number")[0]);
  }

  #dim(): Dim {
    const at = this.#in.position;
    const [word] = this.#in.take(/\d+|[A-Za-z_]\w*/, "a size: an integer or a symbol");
    return this.#size(word, at);
  }

  #size(word: string, at: number): Dim {
    if (/^\d+$/.test(word)) return Number(word);
    return (
      this.#symbols.get(word) ??
      this.#in.fail(`there is no symbol ${word}`, at, `declare it in the header: graph @name<${word} in 1..1024>(...)`)
    );
  }

  /** `f32[Tx768]`, with its encoding where it is quantised. */
  #type(): TensorType {
    const [dtype] = this.#in.take(new RegExp(`(?:${dtypes.join("|")})(?=\\[)`), "a type such as f32[Tx768]");
    const at = this.#in.position;
    const [, sizes] = this.#in.take(/\[([\w]*)\]/, "a shape such as [Tx768]");
    const shape = sizes === "" ? [] : sizes!.split("x").map((word) => this.#size(word, at));
    return this.#in.has("quant(")
      ? { dtype: dtype as DType, shape, quant: this.#quant() }
      : { dtype: dtype as DType, shape };
  }

  #quant(): Quant {
    const axis = this.#in.has("axis=") ? { axis: this.#number() } : {};
    if ("axis" in axis) this.#in.need(",");
    const numbers = (key: string) => {
      this.#in.need(`${key}=[`);
      return this.#in.list("]", () => this.#number());
    };
    const scales = numbers("scales");
    this.#in.need(",");
    const offsets = numbers("offsets");
    this.#in.need(")");
    return { ...axis, scales, offsets };
  }
}
