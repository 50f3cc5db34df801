import { join } from "node:path";
import type { Io } from "../../src/cli/io.ts";

export const MAIN = join(import.meta.dir, "../../src/main.ts");

/** An Io that remembers, with the environment given. */
export function recordedIo(env: Io["env"] = {}): Io & { stdout(): string; stderr(): string } {
  let [stdout, stderr] = ["", ""];
  return {
    env,
    out: (text) => {
      stdout += text;
    },
    err: (text) => {
      stderr += text;
    },
    stdout: () => stdout,
    stderr: () => stderr,
  };
}
