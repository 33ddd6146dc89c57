/**
 * The keys of a JSON object as they are written, duplicates included: JSON.parse silently keeps the last of two.
 * `text` must be valid JSON of an object.
 */
export function* topLevelKeys(text: string): Generator<string> {
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;
  let depth = 0;
  for (const [found, colon] of text.matchAll(token)) {
    if (found === "{" || found === "[") depth++;
    else if (found === "}" || found === "]") depth--;
    else if (depth === 1 && colon !== undefined) yield JSON.parse(found.slice(0, -colon.length));
  }
}
