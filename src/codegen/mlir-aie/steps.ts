/** `<entry>.steps.json`: what a session executes in place of one graph. All that the runtime learns of a partition. */
import { HeddleError } from "../../ir/error.ts";
import { schemaCheck } from "../../ir/schema.ts";
import type { FixedPoint } from "./kernel.ts";
import schema from "./steps.schema.json" with { type: "json" };
import { sizeOfTiling, type Tiling } from "./tiling.ts";

export interface StepValue {
  readonly name: string;
  readonly dtype: "f32" | "i32" | "bool";
  readonly shape: readonly number[];
}

export interface StepPort {
  readonly tensor: string;
  readonly value: string;
}

/** Runs on the reference backend. A cache that it updates is among its inputs. */
export interface HostEntry {
  readonly kind: "host";
  /** Path of the QNN graph, relative to the build folder. */
  readonly graph: string;
  readonly inputs: readonly StepPort[];
  readonly outputs: readonly StepPort[];
}

/** An argument of a kernel's runtime sequence: a value of the graph, converted and padded, or a weight as it is stored. */
export type StepBuffer = { readonly dtype: string; readonly shape: readonly number[] } & (
  | { readonly weights: { readonly offset: number; readonly bytes: number } }
  | {
      readonly value: string;
      readonly valueShape: readonly number[];
      readonly direction: "in" | "out";
      /** How the value lies in the buffer, where that is not its own order. */
      readonly tiling?: Tiling;
      /** The fixed point into which the host brings an operand: see `AieBuffer`. */
      readonly fixed?: FixedPoint;
      /** Numbers that lie behind an operand in the buffer: see `AieBuffer`. */
      readonly behind?: readonly number[];
    }
);

export interface KernelEntry {
  readonly kind: "kernel";
  readonly kernel: string;
  /** The node that it computes, as errors call it, and where it was written. */
  readonly op: string;
  readonly loc?: string;
  readonly buffers: readonly StepBuffer[];
}

export interface StepsFile {
  readonly format: "heddle.steps/1";
  readonly graph: string;
  /** What `aie.device` names. */
  readonly device: string;
  readonly values: readonly StepValue[];
  /** Kernels by name, each with the `.mlir` file of the build folder that has a runtime sequence of its name. */
  readonly kernels: readonly { readonly name: string; readonly file: string }[];
  readonly steps: readonly (HostEntry | KernelEntry)[];
}

const mistakesIn = schemaCheck(schema);

/** @throws HeddleError naming the field that is missing, unknown or of the wrong kind. */
export function checkSteps(content: unknown, subject: string): asserts content is StepsFile {
  const [mistake] = mistakesIn(content);
  if (mistake) throw new HeddleError(mistake.says, { subject, hint: "compile the program again" });
  checkReferences(content as StepsFile, subject);
}

function checkReferences(content: StepsFile, subject: string): void {
  for (const s of content.steps)
    for (const b of s.kind === "kernel" ? s.buffers : [])
      if ("value" in b) {
        if (b.tiling) checkTiling(b.tiling, b, subject);
        const size = (dims: readonly number[]) => dims.reduce((x, y) => x * y, 1);
        if (b.behind && (b.tiling || b.direction !== "in" || size(b.valueShape) + b.behind.length > size(b.shape)))
          throw new HeddleError(`numbers behind a value do not fit its buffer ${b.dtype}[${b.shape}]`, { subject });
        if (
          b.fixed &&
          (b.dtype !== "i8" || b.direction !== "in" || (b.fixed.dtype === "u16" && b.tiling?.shape[0] !== 2))
        )
          throw new HeddleError(`fixed point does not fit its buffer ${b.dtype}[${b.shape}]`, { subject });
      }
  const known = new Set(content.kernels.map((k) => k.name));
  for (const s of content.steps)
    if (s.kind === "kernel" && !known.has(s.kernel))
      throw new HeddleError(`step ${s.op} runs kernel ${s.kernel}, which is not listed`, { subject });
}

/** A tiling places every element of its value within its buffer, once. */
function checkTiling(t: Tiling, { shape, dtype }: StepBuffer, subject: string): void {
  const factors = t.split.flat().length;
  const isWhole =
    t.split.length === t.shape.length &&
    t.order.length === factors &&
    new Set(t.order).size === factors &&
    t.order.every((f) => f < factors) &&
    t.shape.every((d, i) => d <= t.split[i]!.reduce((a, b) => a * b, 1)) &&
    sizeOfTiling(t) === shape.reduce((a, b) => a * b, 1);
  if (!isWhole) throw new HeddleError(`a tiling does not fit its buffer ${dtype}[${shape}]`, { subject });
}

/** One step per line, so that a diff of two builds shows which ones differ. */
export function showSteps(file: StepsFile): string {
  const list = (items: readonly unknown[]) =>
    items.length ? `[\n${items.map((i) => `    ${JSON.stringify(i)}`).join(",\n")}\n  ]` : "[]";
  const fields = [
    ...(["format", "graph", "device"] as const).map((k) => `  "${k}": ${JSON.stringify(file[k])}`),
    ...(["values", "kernels", "steps"] as const).map((k) => `  "${k}": ${list(file[k])}`),
  ];
  return `{\n${fields.join(",\n")}\n}\n`;
}
