/**
 * The TypeScript of a Markdown page: each fenced block by the title in its first line, `// title`, without that line. Blocks
 * that begin otherwise are prose and left out.
 */
export function codeBlocks(markdown: string): Map<string, string> {
  return new Map([...markdown.matchAll(/^```ts\n\/\/ (.*)\n([\s\S]*?)^```$/gm)].map((m) => [m[1]!, m[2]!]));
}
