/** A program after its passes, written in one or in several parts. */
import { type CompileRequest, type CompileResult, compileModule } from "../../codegen/compile.ts";
import { compileParts, type PartResult } from "../../codegen/compile-parts.ts";
import { cut } from "../../codegen/cut.ts";
import type { Manifest } from "../../codegen/manifest.ts";
import { joinParts, type ProgramManifest } from "../../codegen/parts-manifest.ts";

export interface Written extends Pick<CompileResult, "entries" | "weightsReused"> {
  /** Of the program as a whole. */
  readonly manifest: ProgramManifest & Pick<Manifest, "context">;
  /** Where it was cut: its parts. */
  readonly parts: readonly PartResult[];
}

/** Writes the build, in one or in several parts. */
export async function writeBuild(
  request: CompileRequest,
  count: number,
): Promise<{ readonly written: Written; readonly ms: CompileResult["ms"] }> {
  if (count === 1) {
    const { ms, ...written } = await compileModule(request);
    return { written: { ...written, parts: [] }, ms };
  }
  const { manifest, parts } = await compileParts(request, cut(request.module, count));
  const sum = (key: keyof CompileResult["ms"]) => parts.reduce((all, p) => all + p.ms[key], 0);
  return {
    written: {
      manifest: joinParts(
        manifest,
        parts.map((p) => p.manifest),
      ),
      entries: parts.flatMap((p) => p.entries),
      weightsReused: parts.every((p) => p.weightsReused),
      parts,
    },
    ms: { codegen: sum("codegen"), weights: sum("weights"), finish: sum("finish") },
  };
}
