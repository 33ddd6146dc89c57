export { type BuiltModel, type ConfigChoice, type LoadedProgram, loadProgram } from "./load.ts";
