/** A context binary read back through the vendor's System library and compared with the graphs it was made from. */
import type { QnnGraph } from "../codegen/qnn/index.ts";
import { HeddleError } from "../ir/error.ts";
import type { BinaryDescription, TensorInfo } from "../runtime/addon.ts";

const hint = "compile again with --no-cache; if that does not help, the library's version is the suspect";

/** @throws HeddleError naming the first graph or tensor that is missing, too many, or of another type or shape. */
export function checkReadBack(file: string, found: BinaryDescription, graphs: readonly QnnGraph[], soc: number): void {
  const refuse = (reason: string): never => {
    throw new HeddleError(`read back, the context binary ${reason}`, { subject: file, hint });
  };
  if (found.socModel !== undefined && found.socModel !== soc) refuse(`is for SoC ${found.socModel}, not ${soc}`);
  const names = (list: readonly { name: string }[]) => list.map((x) => x.name).sort();
  const show = (list: readonly string[]) => list.join(", ") || "(none)";
  const expected = graphs.map((g) => g.graph).sort();
  if (names(found.graphs).join() !== expected.join())
    refuse(`holds the graphs ${show(names(found.graphs))}, not ${show(expected)}`);
  for (const graph of graphs) {
    const { inputs, outputs } = found.graphs.find((g) => g.name === graph.graph)!;
    for (const [role, has, wants] of [
      ["inputs", inputs, graph.inputs],
      ["outputs", outputs, graph.outputs],
    ] as const) {
      if (names(has).join() !== [...wants].sort().join())
        refuse(`gives ${graph.graph} the ${role} ${show(names(has))}, not ${show([...wants].sort())}`);
      for (const tensor of has) {
        const wanted = graph.tensors.find((t) => t.name === tensor.name)!;
        const is = typeOf(tensor);
        const should = typeOf(wanted);
        if (is !== should) refuse(`has ${tensor.name} of ${graph.graph} as ${is}, not ${should}`);
      }
    }
  }
}

const typeOf = ({ dataType, dims }: Pick<TensorInfo, "dataType" | "dims">): string => `${dataType}[${dims.join(",")}]`;
