/**
 * The keys of a JSON object as they are written, duplicates included: JSON.parse silently keeps the last of two.
 * `text` must be valid JSON of an object. A loop, because a regular expression runs out of stack on a long enough string.
 */
export function* topLevelKeys(text: string): Generator<string> {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (c === "{" || c === "[") depth++;
    else if (c === "}" || c === "]") depth--;
    else if (c === '"') {
      const start = at++;
      while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
      if (depth === 1 && isKey(text, at + 1)) yield JSON.parse(text.slice(start, at + 1));
    }
  }
}

/** Whether a string that ends before `at` is a key: a colon follows. */
function isKey(text: string, at: number): boolean {
  const colon = /\s*:/y;
  colon.lastIndex = at;
  return colon.test(text);
}
