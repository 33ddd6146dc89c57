/** `npm run aie-sim -- design.mlir`: checks a design for the AIE array and runs it once, on made-up inputs, in the simulator. */
import { readFileSync, statSync } from "node:fs";
import { HeddleError, showLoc } from "../ir/error.ts";
import { command, main, type Output } from "./support/command.ts";
import { bytes, table } from "./support/format.ts";
import { whole } from "./support/options.ts";

interface Options {
  readonly check?: boolean;
  readonly sequence?: string;
  readonly trace?: boolean;
  readonly seed: number;
  readonly floor?: boolean;
}

const definition = command(
  "aie-sim -- <design> [options]",
  "Checks an MLIR-AIE design against its machine and runs it once on made-up inputs, in the functional simulator.",
  ["aie-sim -- test/golden/aie-sim/gemm.mlir", "aie-sim -- design.mlir --check"],
)
  .argument("<design>", "MLIR text with one aie.device")
  .option("--check", "check only, do not run")
  .option("--sequence <name>", "the runtime sequence that runs, by default the first")
  .option("--trace", "print every piece of work: who, from which cycle to which, what it waits for")
  .option("--seed <n>", "seed of the made-up inputs", whole(0), 0)
  .option("--floor", "round floats to bf16 as the hardware does unless told otherwise: down");

/** Made-up contents of a buffer: small numbers of its type, always the same for a seed. */
function fill(size: number, element: string, seed: number): ArrayBufferView {
  let state = (seed * 2654435761 + 1013904223) >>> 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const random = Float32Array.from({ length: size }, next);
  if (element === "f32") return random;
  if (element === "bf16") return Uint16Array.from(new Uint32Array(random.buffer), (u) => u >>> 16);
  const integers = Array.from(random, (x) => Math.round(x * 100));
  return element === "i8"
    ? Int8Array.from(integers)
    : element === "i16"
      ? Int16Array.from(integers)
      : Int32Array.from(integers);
}

async function run([file]: readonly string[], options: Options, output: Output): Promise<unknown> {
  const { loadDesign, simulate } = await import("../runtime/aie-sim/index.ts");
  const { count, showType } = await import("../runtime/aie-sim/mlir/type.ts");
  if (!statSync(file!).isFile())
    throw new HeddleError("is a folder", { subject: file, hint: "a design such as test/golden/aie-sim/gemm.mlir" });
  const design = loadDesign(readFileSync(file!, "utf8"), { file: file! });
  for (const w of design.warnings) output.note(`${showLoc(w.loc)}: warning: ${w.subject}: ${w.reason}`);
  const { budgets, warnings } = design;
  const kind = (name: string) => (design.device.cores.some((c) => c.tile.name === name) ? "core" : "memory");
  output.print(
    table(
      [
        { title: "tile" },
        { title: "" },
        ...["memory", "stack", "stack, estimate", "program, estimate"].map((title) => ({
          title,
          align: "right" as const,
        })),
      ],
      budgets.map((b) => [b.tile, kind(b.tile), b.memory, b.stack || "", b.stackNeeded || "", b.program || ""]),
    ),
  );
  if (options.check) return { budgets, warnings };
  const host = design.hosts.find((h) => h.name === options.sequence) ?? design.host;
  const buffers = host.args.map(({ type }, i) => fill(count(type.shape), showType(type.element), options.seed + i));
  const report = simulate(design, buffers, {
    rounding: options.floor ? "floor" : "nearest-even",
    ...(options.sequence !== undefined && { sequence: options.sequence }),
    ...(options.trace && {
      trace: (e) =>
        output.print(
          `${Math.round(e.from)}..${Math.round(e.to)}  ${e.actor}${e.waits ? `  waits for ${e.waits}` : ""}\n`,
        ),
    }),
  });
  const right = (title: string) => ({ title, align: "right" as const });
  output.print(
    `\n${table(
      [{ title: "core" }, right("busy cycles"), right("waiting")],
      report.tiles.map((t) => [t.tile, Math.round(t.busy), Math.round(t.stalled)]),
    )}\n${table(
      [{ title: "FIFO" }, { title: "from" }, right("bytes"), right("producer waited"), right("consumers waited")],
      report.fifos.map((f) => [f.name, f.from, f.bytes, Math.round(f.backpressure), Math.round(f.starved)]),
    )}\n${report.cycles} cycles, ${(report.seconds * 1e6).toFixed(1)} us with the dispatch (modelled); ${bytes(report.ddr.readBytes)} read from and ${bytes(report.ddr.writtenBytes)} written to memory\n`,
  );
  return { budgets, warnings, report };
}

await main(definition, run);
