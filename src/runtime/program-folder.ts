/** A compiled program: one build folder, or several that run one after the other. */
import { checkPartsManifest, isInParts, joinParts, type ProgramManifest } from "../codegen/parts-manifest.ts";
import { type BuildFolder, openBuild, readManifest, readText } from "./build-folder.ts";

export interface ProgramFolder {
  readonly folder: string;
  /** Of the program as a whole. */
  readonly manifest: ProgramManifest;
  /** The builds that it consists of, in the order in which they run: itself, where it was not cut. */
  readonly parts: readonly BuildFolder[];
  /** The path of a file that the manifest names relative to the folder. */
  path(file: string): string;
  /** The text of the model's chat template; undefined where it has none. @throws HeddleError where the file is missing. */
  chatTemplate(): string | undefined;
}

/** @throws HeddleError where the folder, or that of a part, is not a build, or parts do not fit each other. */
export function openProgram(folder: string): ProgramFolder {
  const { file, content, path } = readManifest(folder);
  const whole = (manifest: ProgramManifest, parts: readonly BuildFolder[]): ProgramFolder => {
    const chatTemplate = () => (manifest.chat ? readText(path(manifest.chat.template)) : undefined);
    return { folder, manifest, parts, path, chatTemplate };
  };
  if (!isInParts(content)) {
    const build = openBuild(folder);
    return whole(build.manifest, [build]);
  }
  checkPartsManifest(content, file);
  const parts = content.parts.map((p) => openBuild(path(p.folder)));
  return whole(
    joinParts(
      content,
      parts.map((p) => p.manifest),
      file,
    ),
    parts,
  );
}
