import { join } from "node:path";
import type { Terminal } from "../../src/cli/terminal.ts";

export const MAIN = join(import.meta.dir, "../../src/main.ts");

/** Returns a terminal that records its output, with the environment given. */
export function recordedTerminal(
  env: Terminal["env"] = {},
): Terminal & { stdout(): string; stderr(): string } {
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
