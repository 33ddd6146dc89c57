/** What `npm run compile` says of a model that it does not write: what it would take, and what machines allow. */
import { cut, type Measure, partsWithin } from "../../codegen/cut.ts";
import { HeddleError } from "../../ir/error.ts";
import type { Module } from "../../ir/program.ts";
import { elements } from "../../ir/type.ts";
import { loadTarget } from "../../targets/target.ts";
import { bounds, cacheMemory, decodeCost, storages } from "./bounds.ts";
import { bytes, flops, table } from "./format.ts";

const figure = (x: number): string => (x >= 100 ? x.toFixed(0) : x.toPrecision(3));

/** @param module in f32, after its passes. @param goal tokens per second to reckon streams and drafts for. */
export function boundsText(module: Module, goal: number): string {
  const cost = decodeCost(module);
  if (!cost) return "";
  const header = `one token at a context of ${cost.context}: ${(cost.weights / 1e9).toPrecision(4)} billion weights read, ${bytes(cost.cacheBytes)} of keys and values (f16), ${flops(cost.flops)}\n`;
  const rows = bounds(cost, goal).map((b) => [
    b.machine,
    `${(b.rate.value / 1e9).toFixed(1)} GB/s`,
    b.storage,
    bytes(b.bytesPerToken),
    figure(b.stream),
    b.streams ?? "-",
    figure(b.accepted),
    b.arithmetic ? figure(b.arithmetic) : "-",
  ]);
  const columns = [
    { title: "target" },
    { title: "memory", align: "right" },
    { title: "weights as" },
    { title: "per token", align: "right" },
    { title: "one stream, tokens/s", align: "right" },
    { title: `streams for ${goal}/s`, align: "right" },
    { title: `tokens a pass for ${goal}/s`, align: "right" },
    { title: "arithmetic allows", align: "right" },
  ] as const;
  return `${header}${memoryText(module)}${shardText(module)}\n${table(columns, rows)}all modelled: bytes over the memory rate that src/targets gives, with its source there; a pass that checks drafted
tokens, or serves several streams, reads the weights once. Arithmetic is the peak of the int8 units of the target alone.\n`;
}

/** What caches take, in f16, by context. */
const memoryText = (module: Module): string => {
  const sizes = cacheMemory(module, 16).map(({ context, bytes: held }) => `${bytes(held)} at ${context}`);
  return `caches in f16 take ${sizes.join(", ")}\n`;
};

/** Into how many contexts of an NPU session the weights are cut. */
function shardText(module: Module): string {
  const limit = loadTarget("x-elite").facts?.contextLimit;
  if (!limit) return "";
  const lines = storages.map(({ name, bits }) => {
    const stored: Measure = ({ shape }) => (elements(shape) * bits) / 8;
    const [whole] = cut(module, 1, stored);
    const size = `${bytes(whole!.bytes)} in ${name}`;
    try {
      const parts = cut(module, partsWithin(module, limit.value, stored), stored);
      const largest = Math.max(...parts.map((p) => p.bytes));
      return `  ${size}: ${parts.length} ${parts.length > 1 ? "contexts" : "context"}, the largest ${bytes(largest)}\n`;
    } catch (e) {
      if (!(e instanceof HeddleError)) throw e;
      return `  ${size}: ${e.context.subject} alone is larger\n`;
    }
  });
  return `under the limit of ${bytes(limit.value)} for one context of x-elite:\n${lines.join("")}`;
}
