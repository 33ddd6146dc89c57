/** Errors of the operating system in words. */

const words: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  ENOSPC: ["the disk is full", "free some space, or write elsewhere with --out"],
  EDQUOT: ["your disk quota is used up", "free some space, or write elsewhere with --out"],
  EACCES: ["permission denied", "check who owns it, or choose another place with --out"],
  EPERM: ["permission denied", "check who owns it, or choose another place with --out"],
  EROFS: ["the file system is read-only", "choose another place with --out"],
  ENOTDIR: ["a part of this path is a file, not a folder", "check the path"],
  EISDIR: ["is a folder; a file is needed", "check the path"],
  ENOENT: ["there is no such file or folder", "check the path"],
  EMFILE: ["too many files are open", "raise the limit: ulimit -n"],
};

/** @returns undefined for what is not an error of the system, or one that has no words here. */
export function systemError(e: Error): { subject?: string; reason: string; hint: string } | undefined {
  const { code, path } = e as NodeJS.ErrnoException;
  const known = code === undefined ? undefined : words[code];
  if (!known) return undefined;
  const [reason, hint] = known;
  return { ...(path !== undefined && { subject: path }), reason, hint };
}
