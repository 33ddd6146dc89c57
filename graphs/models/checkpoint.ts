/** Tensors and configuration of Hugging Face checkpoints. */
import { type Node, originOf, param } from "../../src/ir/index.ts";

/** A tensor of the checkpoint in f32, called in the graph what it is called there. */
export const weight = (name: string, ...shape: number[]): Node =>
  param.build([], { name, dtype: "f32", shape }, { name, loc: originOf("param").loc });

/** Readers of config.json. Errors name the field, what it holds and what was expected. */
export interface CheckpointFields {
  /** A whole number above zero; one that is absent is an error, or the number given for that. */
  size(field: string, absent?: number): number;
  /** A number above zero; null is as good as absent. */
  positive(field: string, absent: number): number;
  /** Requires one of the values; `undefined` among them allows the field to be absent. */
  expect(field: string, ...values: unknown[]): void;
}

/** @param family what the field model_type must say. @throws Error where the file is of another family. */
export function checkpointFields(
  json: Readonly<Record<string, unknown>>,
  { family }: { family?: string } = {},
): CheckpointFields {
  const expect: CheckpointFields["expect"] = (field, ...values) => {
    const value = json[field];
    if (values.includes(value)) return;
    const wanted = values.filter((v) => v !== undefined).map((v) => JSON.stringify(v));
    throw new Error(`${field} is ${JSON.stringify(value) ?? "missing"}; this model needs ${wanted.join(" or ")}`);
  };
  const size: CheckpointFields["size"] = (field, absent) => {
    const value = json[field] ?? absent;
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
    throw new Error(`${field} is ${JSON.stringify(value) ?? "missing"}; it must be a whole number above zero`);
  };
  const positive: CheckpointFields["positive"] = (field, absent) => {
    const value = json[field] ?? absent;
    if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
    throw new Error(`${field} is ${JSON.stringify(value)}; it must be a number above zero`);
  };
  if (family !== undefined) expect("model_type", family);
  return { size, positive, expect };
}
