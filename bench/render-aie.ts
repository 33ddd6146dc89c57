/** The tables of suite aie: a line per product with its rooflines, and one per other figure. */
import type { Row } from "./record.ts";
import { productMetrics } from "./suites/aie-products.ts";
import { type Cell, number, percent, table, taken } from "./tables.ts";

export function renderAie(rows: readonly Row[], figures: (rows: readonly Row[]) => string): string {
  const products = new Map<string, Row[]>();
  const rest: Row[] = [];
  const isProduct = (r: Row) => r.metric in productMetrics && r.context > 0;
  for (const r of rows) {
    if (!isProduct(r)) rest.push(r);
    else {
      const key = `${r.program}, ${r.precision}`;
      products.set(key, [...(products.get(key) ?? []), r]);
    }
  }
  const metrics = Object.keys(productMetrics);
  const lines = [...products.values()].map((own): Cell[] => [
    own[0]!.program,
    own[0]!.precision,
    ...metrics.map((metric) => {
      const found = own.find((r) => r.metric === metric);
      return found?.unit === "ratio" ? percent(found.value) : number(found?.value, 2);
    }),
  ]);
  return [
    "## Kernels on the AIE array",
    taken(rows),
    figures(rest),
    "### Products as the planner chooses them",
    "Shares are of the modelled throughput of the published kernel's tile (112x112x112 in int8, 96x56x96 in bf16). Main memory allows what moving both operands and the result once takes; cores allow products at the rate that was measured on one, with the vector operations that make results of sums. Quantised programs yield floats, with a scale per column; `apart` is what programs have in one.",
    table(["product", "precision", ...Object.values(productMetrics)], lines),
  ].join("\n\n");
}
