import { loadBackend } from "../runtime/addon.ts";
import type { LibraryVersion } from "./types.ts";

const known = new Map<string, LibraryVersion>();

export const versionOf = ({ provider, coreVersion, backendVersion, buildId }: LibraryVersion): LibraryVersion => ({
  provider,
  coreVersion,
  backendVersion,
  buildId,
});

/** Version of the library at a path. Loading one takes a tenth of a second, so it is asked once. @throws QnnError */
export function libraryVersion(path: string): LibraryVersion {
  const before = known.get(path);
  if (before) return before;
  const backend = loadBackend(path);
  const version = versionOf(backend);
  backend.close();
  known.set(path, version);
  return version;
}
