/** Qualcomm's HTP compiler and simulator: context binaries and what a run costs. */
export {
  boundBytes,
  contextFile,
  type Finished,
  type FinishOptions,
  findCompiler,
  finishBuild,
  hasContext,
} from "./finish-build.ts";
export { finalizeLevel } from "./level.ts";
export { compilerMemory } from "./memory.ts";
export { type Prepared, type PrepareRequest, prepareContext, xElite, xEliteCosted } from "./prepare.ts";
export type { DdrTraffic, GraphFile, HtpOptions, LibraryVersion, PreparedGraph, Simulated } from "./types.ts";
