import { closeSync, openSync, readSync } from "node:fs";

/** The name of the program, with which the names of the executables of a release begin. */
export const PROGRAM_NAME = "chatgpt-api-server";

/** The machine that an executable runs on. */
export interface Target {
  /** The values of `process.platform` and `process.arch`. */
  platform: string;
  arch: string;
  /** Whether the C library is musl, as on Alpine Linux. */
  isMusl: boolean;
}

/** Returns the name that the executable for a machine has in a release. `.ci/build.ts --all` makes these names. */
export function executableName({ platform, arch, isMusl }: Target): string {
  const system = platform === "win32" ? "windows" : platform;
  const libc = platform === "linux" && isMusl ? "-musl" : "";
  return `${PROGRAM_NAME}-${system}-${arch}${libc}${platform === "win32" ? ".exe" : ""}`;
}

/** The head of an executable, which has the name of the loader that it needs. */
const HEAD_BYTES = 64 * 1024;

/** Returns the machine that the executable at `path` was built for. It runs on this one. */
export function targetOf(path: string): Target {
  const { platform, arch } = process;
  return { platform, arch, isMusl: platform === "linux" && headOf(path).includes("/ld-musl-") };
}

function headOf(path: string): string {
  const file = openSync(path, "r");
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return head.toString("latin1", 0, readSync(file, head, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(file);
  }
}
