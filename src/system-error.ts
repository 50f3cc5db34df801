/** The meanings of the system's errors for a file or a folder, and what to do, by their codes. */
const FILE_MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: "It does not exist. Check the path.",
  EISDIR: "It is a folder. Move it away, or choose another path.",
  ENOTDIR: "A part of its path is a file. Choose another folder.",
  EEXIST: "A part of its path is a file. Choose another folder.",
  EACCES: "No permission. Check the owner and mode of the file and its folder.",
  EPERM: "No permission. Check the owner and mode of the file and its folder.",
  EROFS: "The disk is read-only. Choose another folder.",
  ENOSPC: "The disk is full.",
  EDQUOT: "The disk quota is used up.",
  ELOOP: "It is a symbolic link, which is not followed here. Put the file itself in its place.",
  ENAMETOOLONG: "Its path is too long. Choose a shorter one.",
  EMFILE: "Too many files are open. Raise the limit (ulimit -n), or stop what holds them open.",
  ENFILE: "Too many files are open on this machine. Stop what holds them open.",
  EIO: "The disk cannot be read or written. Check the disk.",
  EBUSY: "Another program is using it. Stop that program first.",
  ETXTBSY: "Another program is using it. Stop that program first.",
  EFBIG: "The file system does not take files of this size.",
};

/**
 * Returns, in one line, why a file could not be used, and what to do. For an error that is not known it returns
 * the text of the error, which may have the path, or `otherwise`.
 */
export function fileTrouble(error: unknown, otherwise?: string): string {
  return FILE_MEANINGS[codeOf(error)] ?? otherwise ?? textOf(error);
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null | undefined)?.code ?? "");
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll("\n", " ");
}
