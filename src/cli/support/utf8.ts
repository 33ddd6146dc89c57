import { HeddleError } from "../../ir/error.ts";

/**
 * The text of a file or a pipe, without a byte order mark.
 * @param more whether the bytes were cut off, perhaps inside a character, which is then left out.
 * @throws HeddleError about `subject` where it is not UTF-8: with other characters in its place nobody would notice.
 */
export function utf8(bytes: Uint8Array, subject: string, more = false): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: more });
  } catch {
    throw new HeddleError("is not text in UTF-8", { subject, hint: "convert it first: iconv -f UTF-16 -t UTF-8" });
  }
}
