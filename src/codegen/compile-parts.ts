/** A module in parts, to a folder that holds a build folder for each of them: all of them or none. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CompileRequest, type CompileResult, compileModule, paramsOf } from "./compile.ts";
import type { Part } from "./cut.ts";
import { checkPartsManifest, type PartsManifest } from "./parts-manifest.ts";
import { writeProgram } from "./program-files.ts";
import { manifestFile, replaceFolder } from "./staging.ts";

/** A part of a program as it was written. */
export interface PartResult extends CompileResult {
  readonly folder: string;
  readonly scopes: string;
}

/** @param request of the whole module. @throws HeddleError as `compileModule`. */
export async function compileParts(
  request: CompileRequest,
  parts: readonly Part[],
): Promise<{ readonly manifest: PartsManifest; readonly parts: readonly PartResult[] }> {
  const { tokenizer: _, chat: __, sampling: ___, extra, progress, ...each } = request;
  if (!request.isPart) request.weights.check(paramsOf(request.module));
  const bytes = parts.reduce((sum, p) => sum + p.bytes, 0);
  return replaceFolder(request.out, async (folder) => {
    const results: PartResult[] = [];
    let before = 0;
    for (const [i, part] of parts.entries()) {
      const name = `part-${i + 1}`;
      const result = await compileModule({
        ...each,
        module: part.module,
        seams: part.seams,
        isPart: true,
        out: join(folder, name),
        previous: join(request.out, name),
        ...(progress && { progress: (done, total) => progress(before + (done / total) * part.bytes, bytes) }),
      });
      results.push({ ...result, folder: name, scopes: part.scopes });
      before += part.bytes;
    }
    const fields = writeProgram(folder, request);
    await extra?.(
      folder,
      results.flatMap((r) => r.entries),
    );
    const manifest: PartsManifest = {
      format: "heddle.parts/1",
      ...fields,
      parts: results.map(({ folder, scopes }) => ({ folder, scopes })),
    };
    checkPartsManifest(manifest);
    writeFileSync(join(folder, manifestFile), `${JSON.stringify(manifest, undefined, 1)}\n`);
    return { manifest, parts: results };
  });
}
