/** From MLIR text to a design that fits the machine, ready to run. */
import { HeddleError } from "../../ir/error.ts";
import { type AieMachine, aieMachine } from "../../targets/aie-machine.ts";
import { checkBudgets, sharedBuffers, type TileBudget } from "./budget.ts";
import { type CompiledCore, compileCore } from "./compile/core.ts";
import { type Device, readDesign } from "./design.ts";
import type { Hardware } from "./hardware.ts";
import { type Host, readHost } from "./host.ts";
import { type Warning, warnings } from "./legality.ts";
import { lower } from "./lower.ts";
import { bodyOf, stringAttr } from "./mlir/op.ts";
import { parseModule } from "./mlir/parse.ts";

export interface LoadOptions {
  /** What errors call the text. */
  readonly file: string;
  /** Without one, what `aie.device` names. */
  readonly machine?: AieMachine;
}

/** A design that fits the machine, ready to run. */
export interface Design {
  readonly device: Device;
  readonly hardware: Hardware;
  readonly cores: readonly CompiledCore[];
  /** Its runtime sequences, and the first of them. */
  readonly hosts: readonly Host[];
  readonly host: Host;
  readonly budgets: readonly TileBudget[];
  readonly shared: ReadonlySet<number>;
  /** What upstream would not map onto the vector unit. */
  readonly warnings: readonly Warning[];
}

/**
 * Parses and checks a design.
 * @throws HeddleError at file:line:column for text that is not of the subset, and, naming tile, FIFO and op, for what the machine
 * or upstream's compiler does not take.
 */
export function loadDesign(text: string, { file, machine: given }: LoadOptions): Design {
  const module = parseModule(text, file);
  const named = bodyOf(module).ops.find((o) => o.name === "aie.device");
  const name = named && stringAttr(named, "device");
  const machine = given ?? (name === undefined ? undefined : aieMachine(name));
  if (!machine)
    throw new HeddleError(`${name ?? "nothing"} is not a device that is known here`, {
      subject: "aie.device",
      loc: named?.loc ?? module.loc,
      hint: "npu1 or npu2, or a part such as npu1_2col",
    });
  const device = readDesign(module, machine, file);
  const hardware = lower(device);
  const budgets = checkBudgets(device, hardware);
  const found = warnings(device);
  const cores = device.cores.map((core) => compileCore(device, hardware, core));
  const hosts = device.sequences.map((sequence) => readHost(device, hardware, sequence));
  return {
    device,
    hardware,
    cores,
    hosts,
    host: hosts[0]!,
    budgets,
    shared: sharedBuffers(device, hardware),
    warnings: found,
  };
}
