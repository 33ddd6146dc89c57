/**
 * What JSON files are held against: schemas, compiled when they are first needed, because each takes as long as many a command.
 * That they are valid schemas themselves is for a test to say (test/schemas.test.ts).
 */
import { createRequire } from "node:module";
import type { Options, ValidateFunction } from "ajv";

export interface SchemaOptions {
  /** Report every mistake, not only the first. */
  readonly all?: boolean;
  /** Schemas that this one refers to by their `$id`. */
  readonly others?: readonly object[];
}

export interface Mistake {
  /** Where, as a path into the file, and what. */
  readonly says: string;
  /** A field that the schema has none of. */
  readonly unknown: string | undefined;
}

/** Checks what a JSON file holds: the mistakes found, none where it is as the schema says. */
export function schemaCheck(schema: object, { all = false, others = [] }: SchemaOptions = {}) {
  let matches: ValidateFunction | undefined;
  return (content: unknown): readonly Mistake[] => {
    matches ??= compileSchema(schema, others, { allErrors: all, validateSchema: false, code: { optimize: false } });
    if (matches(content)) return [];
    return matches.errors!.map(({ instancePath, message, keyword, params }) => ({
      says: `${instancePath || "/"} ${message ?? keyword}`,
      unknown: params.additionalProperty as string | undefined,
    }));
  };
}

/** @throws Error for a schema that is none, where the options do not leave that out. */
export function compileSchema(schema: object, others: readonly object[], options: Options = {}): ValidateFunction {
  const { Ajv } = createRequire(import.meta.url)("ajv") as typeof import("ajv");
  const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, ...options });
  for (const other of others) ajv.addSchema(other);
  return ajv.compile(schema);
}
