/**
 * A functional simulator of an AIE array: reads a design as MLIR text, checks it against the machine, and executes its cores,
 * DMAs and runtime sequence together. Numbers are those of the vector unit's formats; times are modelled.
 */
export type { TileBudget } from "./budget.ts";
export type { Rounding } from "./compile/rounding.ts";
export { type Report, type SimulateOptions, simulate } from "./engine/simulate.ts";
export type { Warning } from "./legality.ts";
export { type Design, type LoadOptions, loadDesign } from "./load.ts";
