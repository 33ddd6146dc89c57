/** `npm run explore -- build/<program>`: the report of a build in the browser. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { HeddleError } from "../ir/error.ts";
import { openProgram } from "../runtime/program-folder.ts";
import { command, main, type Output } from "./support/command.ts";

interface Options {
  readonly open: boolean;
}

const definition = command(
  "explore -- <build> [options]",
  "Opens the report of a build in the browser: the graph and what changed after every pass, and the cost of every node.",
  ["explore -- build/gpt2-fa2-kv"],
)
  .argument("<build>", "folder that compile wrote, such as build/gpt2-fa2-kv")
  .option("--no-open", "print where the page is and leave the browser alone");

async function run([folder]: readonly string[], { open }: Options, output: Output): Promise<unknown> {
  const file = openProgram(folder!).path("report.html");
  if (!existsSync(file))
    throw new HeddleError("is missing", { subject: file, hint: "compile it again: npm run compile <graph file>" });
  const { href } = pathToFileURL(resolve(file));
  output.print(`${href}\n`);
  const opened = open && !output.json && (await openInBrowser(href));
  if (open && !opened) output.note("there is no browser that could be opened from here: open this page in one");
  return { report: file, href };
}

/** What opens a page on each platform. */
const openers: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ["open"],
  // What stands first in quotes is the title of a window.
  win32: ["cmd", "/c", "start", '""'],
};

/** @returns whether there was something that took it. */
function openInBrowser(href: string): Promise<boolean> {
  const [program, ...args] = openers[process.platform] ?? [process.env.BROWSER || "xdg-open"];
  return new Promise((resolved) => {
    const child = spawn(program!, [...args, href], { stdio: "ignore", detached: true });
    // A browser that stays in the foreground has taken the page.
    const patience = setTimeout(() => done(true), 3000);
    const done = (taken: boolean) => {
      clearTimeout(patience);
      child.unref();
      resolved(taken);
    };
    child.on("error", () => done(false));
    child.on("exit", (code) => done(code === 0));
  });
}

await main(definition, run);
