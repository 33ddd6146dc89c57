/** `npm run libraries`: which backend libraries are here, where they come from, and of which version. */
import { type LibraryReport, reportLibraries } from "../runtime/library-report.ts";
import { command, main, type Output } from "./support/command.ts";

const definition = command(
  "libraries -- [options]",
  "Shows which backend libraries this machine has, where they come from, and of which version.",
  ["libraries", "libraries -- --json"],
);

async function run(_: readonly string[], __: object, output: Output): Promise<readonly LibraryReport[]> {
  const reports = reportLibraries();
  output.print(reports.map(show).join("\n"));
  return reports;
}

function show({ backend, path, origin, version, system, problem, remedy, note, searched }: LibraryReport): string {
  const lines = [
    ...(version ? [`${version.provider}, QNN ${version.qnn}${version.build ? `, build ${version.build}` : ""}`] : []),
    ...(path !== undefined ? [`${path} (${origin})`] : []),
    ...(system !== undefined ? [`${system} (System library)`] : []),
    ...(problem !== undefined ? [`problem: ${problem}`] : []),
    ...(remedy !== undefined ? [`try: ${remedy}`] : []),
    ...(path === undefined ? ["searched:", ...searched.map((p) => `  ${p}`)] : []),
    ...(note !== undefined ? [`note: ${note}`] : []),
  ];
  return `${backend}\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

await main(definition, run);
