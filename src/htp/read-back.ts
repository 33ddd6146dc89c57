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
  const expected = graphs.map((g) => ({ name: g.graph }));
  if (names(found.graphs).join() !== names(expected).join())
    refuse(`holds the graphs ${names(found.graphs).join(", ") || "(none)"}, not ${names(expected).join(", ")}`);
  for (const graph of graphs) {
    const { inputs, outputs } = found.graphs.find((g) => g.name === graph.graph)!;
    for (const [role, has, wants] of [
      ["inputs", inputs, graph.inputs],
      ["outputs", outputs, graph.outputs],
    ] as const) {
      if (names(has).join() !== [...wants].sort().join())
        refuse(`gives ${graph.graph} the ${role} ${names(has).join(", ")}, not ${[...wants].sort().join(", ")}`);
      for (const tensor of has) {
        const wanted = graph.tensors.find((t) => t.name === tensor.name)!;
        const is = show(tensor);
        const should = show({ dataType: wanted.dataType, dims: wanted.dims });
        if (is !== should) refuse(`has ${tensor.name} of ${graph.graph} as ${is}, not ${should}`);
      }
    }
  }
}

const show = ({ dataType, dims }: Pick<TensorInfo, "dataType" | "dims">): string => `${dataType}[${dims.join(",")}]`;
