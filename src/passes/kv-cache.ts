import { HeddleError } from "../ir/error.ts";
import { type Graph, graph as makeGraph, mapGraph, type State, topo } from "../ir/graph.ts";
import { describe, type Node, renamed } from "../ir/node.ts";
import type { AnyOp } from "../ir/op.ts";
import {
  add,
  attention,
  cachedAttention,
  flashAttention,
  flashCachedAttention,
  gather,
  input,
  iota,
  kvAppend,
  less,
  scalar,
  select,
  transpose,
} from "../ir/ops/index.ts";
import { resolveAxis } from "../ir/ops/support/axis.ts";
import type { Module } from "../ir/program.ts";
import { type Dim, type Sym, sameDim, sym } from "../ir/type.ts";
import { cacheBlock, cacheEntries, contextBuckets, ringPlaces, ringSymbol } from "./entries.ts";
import { type PassContext, pass } from "./pass.ts";
import { proveCache } from "./prove-cache.ts";
import { inPlaceOf } from "./support/naming.ts";
import { pickRows, pickRowsEarly } from "./support/pick-rows.ts";
import { keepsTokensApart } from "./support/rows.ts";
import { isStatic } from "./support/static.ts";

const attentions = new Set<AnyOp>([attention, flashAttention]);

/** The symbol that counts tokens: the size T of the first input. Entry points bind it by that name. */
function tokenAxis(graph: Graph): Sym {
  const size = graph.inputs[0]?.type.shape[0];
  if (typeof size !== "object" || size.sym !== "T")
    throw new HeddleError("its first input is not a sequence of T tokens", {
      subject: `graph @${graph.name}`,
      hint: 'input("tokens", "i32", sym("T", 1, 1024))',
    });
  return size;
}

/** @throws HeddleError naming the op that stands in the way of running a few tokens at a time. */
function check(graph: Graph, T: Sym): void {
  if (graph.state.length) throw new HeddleError("has a cache already", { subject: `graph @${graph.name}` });
  const counts = (d: Dim | undefined) => typeof d === "object" && d.sym === T.sym;
  for (const n of topo(graph)) {
    const fail = (reason: string, hint: string) => {
      throw new HeddleError(reason, { subject: describe(n), loc: n.loc, hint });
    };
    if (!attentions.has(n.op)) {
      if (!keepsTokensApart(n, T.sym))
        fail(
          "mixes tokens, so it cannot be run a few tokens at a time",
          "attention for what looks at earlier tokens, iota for their places",
        );
    } else if (!n.attrs.causal) fail("looks at later tokens, so earlier results cannot be kept", "causal: true");
    else if (!n.inputs.every((x) => counts(x.type.shape[1])))
      fail("keys and values must come from the same tokens as queries", "cross attention is not cached");
  }
}

/** Inputs of the graph with a cache, and what the values of the one without become. */
class Caching {
  readonly position = input("position", "i32", 1);
  readonly last = input("last", "i32", 1);
  readonly state: State[] = [];
  /** Windows of the layers that keep no more than one. */
  readonly windows = new Set<number>();
  private readonly T: Sym;
  private readonly C: Sym;
  constructor(T: Sym, C: Sym) {
    this.T = T;
    this.C = C;
  }

  /** Token i stands at position + i. */
  iota(n: Node): Node {
    const from0 = renamed(n, { name: n.name && `${n.name}.iota` });
    return inPlaceOf(n, n.name, () => add(from0, this.position));
  }

  /** A padding row may count past the end of a table of positions: it reads the last row, and nobody reads it. */
  lookup(n: Node): Node {
    const [table, places] = n.inputs as [Node, Node];
    const rows = table.type.shape[resolveAxis(n.attrs.axis as number, table.type.shape)] as number;
    return inPlaceOf(n, n.name, () => {
      const end = scalar(rows - 1, "i32");
      return gather(table, select(less(places, end), places, end), n.attrs);
    });
  }

  /** Places of a cache: all of the context, or a ring where attention sees a window and that is less. */
  private places(window: number): Dim {
    if (window === 0 || ringPlaces(window) >= this.C.max) return this.C;
    this.windows.add(window);
    return ringSymbol(window);
  }

  /** K is kept transposed, [G, D, C], so that a tile of keys is a block of columns; V is [G, C, D]. */
  attention(n: Node): Node {
    const [q, k, v] = n.inputs as [Node, Node, Node];
    const [groups, , dim] = k.type.shape as [Dim, Dim, Dim];
    const layer = `h${this.state.length / 2}`;
    const { causal: _, ...attrs } = n.attrs as { causal: boolean; scale: number; window: number };
    const places = this.places(attrs.window);
    const window = places === this.C ? 0 : attrs.window;
    const keep = (name: string, shape: Dim[], slice: Node, axis: number): Node => {
      const cache = input(`${layer}.${name}_cache`, k.type.dtype, ...shape);
      const next = renamed(kvAppend(cache, slice, this.position, { axis, window }), { name: `${layer}.${name}_next` });
      this.state.push({ cache, next });
      return next;
    };
    return inPlaceOf(n, n.name, () => {
      const keys = keep("k", [groups, dim, places], transpose(k, { perm: [0, 2, 1] }), 2);
      const values = keep("v", [groups, places, dim], v, 1);
      return n.op === attention
        ? cachedAttention(q, keys, values, this.position, attrs)
        : flashCachedAttention(q, keys, values, this.position, attrs);
    });
  }

  /** Of each result, the row of the last token. */
  output(n: Node): Node {
    const axis = n.type.shape.findIndex((d) => typeof d !== "number" && d.sym === this.T.sym);
    if (axis < 0) return n;
    return renamed(
      inPlaceOf(n, n.name, () => pickRows(n, this.last, axis)),
      { name: n.name },
    );
  }
}

function addCache({ graph, rows = "last" }: Module, context: PassContext): Module {
  const T = tokenAxis(graph);
  check(graph, T);
  const sizes = context.contexts ?? contextBuckets(T.max, context.target.facts?.smallestContext?.value);
  const caching = new Caching(T, sym("C", cacheBlock, sizes.at(-1)!));
  const isPlace = (n: Node): boolean => n.op === iota && sameDim(n.attrs.length as Dim, T);
  const countsPlaces = (n: Node): boolean => isStatic(n) && (isPlace(n) || n.inputs.some(countsPlaces));
  const named = (n: Node, to: Node): Node => renamed(to, { name: n.name });
  const cached = mapGraph(graph, (n, original) => {
    if (isPlace(n)) return named(n, caching.iota(n));
    if (n.op === gather && isStatic(original.inputs[0]!) && countsPlaces(original.inputs[1]!))
      return named(n, caching.lookup(n));
    if (!attentions.has(n.op)) return n;
    context.hit("cache-attention");
    return named(n, caching.attention(n));
  });
  if (!caching.state.length) throw new HeddleError("has no attention to cache", { subject: `graph @${graph.name}` });
  const whole = makeGraph(graph.name, {
    inputs: [...cached.inputs, caching.position, caching.last, ...caching.state.map((s) => s.cache)],
    outputs: rows === "all" ? cached.outputs : cached.outputs.map((n) => caching.output(n)),
    state: caching.state,
  });
  const picked = pickRowsEarly(whole);
  for (let i = 0; i < picked.hits; i++) context.hit("pick-rows-before");
  return { graph: picked.graph, entries: cacheEntries(sizes, T.max, [...caching.windows]), rows };
}

/**
 * A model written without a cache becomes one that is given its earlier keys and values: new inputs `position` (tokens already
 * in the cache), `last` (the row wanted) and two caches per layer, updated in place; of a layer that sees a window of tokens they are
 * rings of about that size. Entry points are a prefill and a decode for each context size. Keys and values of a token depend on it and earlier ones only, so they never change.
 * @throws HeddleError for a graph that mixes tokens other than by causal self-attention.
 */
export const kvCache = pass("kv-cache", (_graph, context, module) => addCache(module, context), {
  doc: "Keys and values of earlier tokens are kept instead of computed again; only the last row goes through the head.",
  prove: proveCache,
});
