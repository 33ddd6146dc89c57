import { mapGraph } from "../ir/graph.ts";
import { renamed } from "../ir/node.ts";
import { nodeNames } from "../ir/print.ts";
import { pass } from "./pass.ts";

/** Values of one name in the source get the names under which dumps show them: calibration knows them by these. */
export const ownNames = pass(
  "own-names",
  (graph, context) => {
    const names = nodeNames(graph);
    return mapGraph(graph, (n, original) => {
      const name = names.get(original);
      if (original.name === undefined || name === undefined || name === original.name) return n;
      // What inputs and weights are called is not ours to say.
      if (n.inputs.length === 0) return n;
      context.hit("tell-apart");
      return renamed(n, { name });
    });
  },
  { doc: "Values that share a name in the source get names of their own." },
);
