import type { Scanner } from "../../../ir/scan.ts";

const integer = /-?(?:0x[0-9a-fA-F]+|\d+)/;

/** A decimal or hexadecimal integer; above 2^53 the nearest double. */
export function readInteger(s: Scanner): number {
  const [text] = s.take(integer, "an integer");
  // BigInt reads no sign before a hexadecimal number.
  return text.startsWith("-") ? -Number(BigInt(text.slice(1))) : Number(BigInt(text));
}
