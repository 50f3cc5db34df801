import { join } from "node:path";
import { HANG_MS } from "./until.ts";

/** Runs a client in the folder `work` of a home folder of its own, and resolves with all that it has printed. */
export async function runInHome(home: string, command: readonly string[], env: Record<string, string> = {}) {
  const child = Bun.spawn([...command], {
    cwd: join(home, "work"),
    env: { PATH: process.env["PATH"], HOME: home, IS_SANDBOX: "1", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: HANG_MS,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code: child.exitCode, stdout, stderr };
}
