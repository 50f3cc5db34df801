import { onTestFinished } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A disk of 40 MB that a test may fill. */
export interface SmallDisk {
  path: string;
  /** Leaves no room, not even for a byte. */
  fill(): void;
  empty(): void;
}

const newFolder = () => mkdtempSync(join(tmpdir(), "chatgpt-api-small-disk-"));

function mount(path: string): boolean {
  const command = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", path];
  return Bun.spawnSync(command, { stderr: "ignore" }).success;
}

/** Also while a process has files open there. */
function remove(path: string): void {
  Bun.spawnSync(["umount", "-l", path]);
  rmSync(path, { recursive: true, force: true });
}

function canMount(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0 || !Bun.which("mount")) return false;
  const path = newFolder();
  const isMounted = mount(path);
  if (isMounted) remove(path);
  else rmSync(path, { recursive: true });
  return isMounted;
}

/** Whether a test can make such a disk. The names of tests that are skipped end with the advice. */
export const hasSmallDisk = canMount();
export const SMALL_DISK_ADVICE = "(skipped: run it as root on Linux, where a tmpfs can be mounted)";

/** Makes a disk, which is gone after the test. */
export function makeSmallDisk(): SmallDisk {
  const path = newFolder();
  if (!mount(path)) throw new Error(`nothing can be mounted at ${path}`);
  onTestFinished(() => remove(path));
  const file = join(path, "fill");
  return {
    path,
    fill() {
      const descriptor = openSync(file, "a");
      const bytes = Buffer.alloc(64 * 1024);
      for (let size = bytes.length; size >= 1; size /= 2) while (canWrite(descriptor, bytes, size));
      closeSync(descriptor);
    },
    empty: () => rmSync(file),
  };
}

function canWrite(descriptor: number, bytes: Buffer, size: number): boolean {
  try {
    return writeSync(descriptor, bytes, 0, size) > 0;
  } catch {
    return false;
  }
}
