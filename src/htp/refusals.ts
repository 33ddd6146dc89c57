/** What the vendor's validator refuses, as one error for a person: every kind of refusal once, with line, types and log. */
import type { QnnGraph } from "../codegen/qnn/index.ts";
import { type Context, HeddleError, type Loc, showLoc } from "../ir/error.ts";
import type { QnnError } from "../runtime/qnn-error.ts";
import { signatureOf } from "./signature.ts";

/** Most kinds that an error lists. */
const most = 8;

interface Kind {
  readonly node: string;
  readonly loc: Loc | undefined;
  readonly text: string;
  count: number;
}

/**
 * @param refused of one graph, in the order of its nodes; not empty
 * @returns the error, at the line of the first node. Nodes of the same op on the same types are counted, not repeated.
 */
export function refusalError(graph: QnnGraph, refused: readonly QnnError[]): HeddleError {
  const nodes = new Map(graph.nodes.map((n) => [n.name, n]));
  const kinds = new Map<string, Kind>();
  for (const error of refused) {
    const node = nodes.get(error.node ?? "");
    const signature = node ? signatureOf(graph, node) : (error.op ?? "?");
    const known = kinds.get(signature);
    if (known) known.count++;
    else
      kinds.set(signature, {
        node: `${error.op} node '${error.node}'`,
        loc: error.context.loc,
        text: `${signature}${lines(error)}`,
        count: 1,
      });
  }
  const [first, ...others] = [...kinds.values()];
  const more = (k: Kind) => (k.count > 1 ? `\n  and ${k.count - 1} more nodes like it` : "");
  const rest = others
    .slice(0, most - 1)
    .map((k) => `\n  also ${k.node}${k.loc ? ` (${showLoc(k.loc)})` : ""}: ${k.text}${more(k)}`);
  const left = others.length > most - 1 ? `\n  and ${others.length - most + 1} more kinds of nodes` : "";
  const where: Context = {
    subject: `${first!.node} of graph '${graph.graph}'`,
    loc: first!.loc,
    hint:
      "write the op in terms that HTP has, or let a pass do so (--dump shows where a node came from); " +
      "src/codegen/qnn/qti.ts lists what is lowered to what",
  };
  return new HeddleError(`Qualcomm's validator refuses ${first!.text}${more(first!)}${rest.join("")}${left}`, where);
}

/** The vendor's code and words, and what it logged as an error; the rest tells only that it validates. */
const lines = (error: QnnError): string => {
  const errors = error.log.filter((line) => line.includes("<E>"));
  const log = (errors.length > 0 ? errors : error.log).map((line) => `\n    log: ${line.trim()}`);
  return `\n    code: ${error.code}, ${error.words}${log.join("")}`;
};
