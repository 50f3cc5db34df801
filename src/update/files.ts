import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { CommandError } from "../errors.ts";
import { syncFolder } from "../files.ts";
import { fileErrorText } from "../system-error.ts";

/** The files of an update, beside the executable and on the same disk. */
export interface UpdateFiles {
  executable: string;
  /** The download, which nobody else may run. */
  part: string;
  /** The executable that the update replaced. */
  previous: string;
  /** Exists while an update runs, and after one that was killed. */
  journal: string;
}

export function updateFiles(executable: string): UpdateFiles {
  const [, stem = "", end = ""] = /^(.*?)(\.exe)?$/is.exec(executable) ?? [];
  return {
    executable,
    part: `${stem}.part${end}`,
    previous: `${stem}.previous${end}`,
    journal: `${stem}.update`,
  };
}

/** Gives a download the owner and the mode of the executable that it is to replace. */
export function makeExecutable({ executable, part }: UpdateFiles): void {
  tryFile(part, () => {
    const { mode, uid, gid } = statSync(executable);
    if (process.platform !== "win32" && process.getuid?.() === 0) chownSync(part, uid, gid);
    chmodSync(part, mode & 0o777);
  });
}

/**
 * Puts the download in the place of the executable, and keeps the executable as the previous one. At every moment the
 * executable is whole: the old one or the new one. Windows allows no such exchange while the executable runs: there the
 * place is empty between two renames.
 */
export function replaceExecutable(files: UpdateFiles): void {
  const { executable, part, previous } = files;
  tryFile(executable, () => {
    if (process.platform === "win32") {
      rmSync(previous, { force: true });
      renameSync(executable, previous);
    } else keepAs(executable, previous);
    renameSync(part, executable);
    syncFolder(dirname(executable));
  });
}

/** Puts a copy of the previous executable back. The one that it replaces is lost. */
export function putBack(files: UpdateFiles): void {
  const { executable, part, previous } = files;
  tryFile(executable, () => {
    rmSync(part, { force: true });
    if (process.platform === "win32") {
      copyFileSync(previous, part);
      renameSync(executable, `${part}.failed`);
    } else linkOrCopy(previous, part);
    renameSync(part, executable);
    syncFolder(dirname(executable));
  });
}

/** Exchanges the executable and the previous one. Throws a `CommandError` if there is no previous one. */
export function exchange(files: UpdateFiles): void {
  const { executable, part, previous } = files;
  if (!existsSync(previous)) throw noPrevious(files);
  tryFile(executable, () => {
    rmSync(part, { force: true });
    if (process.platform === "win32") renameSync(executable, part);
    else linkOrCopy(executable, part);
    renameSync(previous, executable);
    renameSync(part, previous);
    syncFolder(dirname(executable));
  });
}

export function noPrevious({ previous }: UpdateFiles): CommandError {
  return new CommandError(
    `There is no ${previous} to go back to. Name a version instead, such as: update 0.1.0`,
  );
}

/** Gives a file a second name. The name is never that of a part of the file. */
function keepAs(path: string, kept: string): void {
  const temporary = `${kept}.part`;
  rmSync(temporary, { force: true });
  linkOrCopy(path, temporary);
  renameSync(temporary, kept);
  // If both were names of one file already, the rename has left the temporary one.
  rmSync(temporary, { force: true });
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    // Some file systems have no links.
    copyFileSync(from, to, constants.COPYFILE_EXCL);
    chmodSync(to, statSync(from).mode & 0o777);
  }
}

function tryFile(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new CommandError(`Cannot replace ${path}: ${fileErrorText(error)}`, { cause: error });
  }
}
