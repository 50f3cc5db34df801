import { onTestFinished } from "bun:test";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EXECUTABLE } from "./executable.ts";
import { tempFolder } from "./store.ts";
import { HANG_MS } from "./until.ts";

/** The result of a command that was copied from a page and run in an empty folder. */
interface Command {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command in a shell with these environment variables. */
export async function runInShell(command: string, env: Record<string, string> = {}): Promise<Command> {
  return run(["sh", "-c", command], tempFolder(), env);
}

/** Runs a module with this project's packages, in Node if it is installed, else in Bun. */
export async function runModule(source: string, env: Record<string, string>): Promise<Command> {
  const folder = tempFolder();
  symlinkSync(join(import.meta.dir, "../../node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "sample.mjs"), source);
  return run([Bun.which("node") ?? process.execPath, "sample.mjs"], folder, env);
}

/** Starts a command that keeps running, in a folder with the executable. It is killed when the test ends. */
export function startInShell(command: string): void {
  const cwd = tempFolder();
  symlinkSync(EXECUTABLE, join(cwd, "chatgpt-api-server"));
  const env = { PATH: process.env["PATH"] };
  const child = Bun.spawn(["sh", "-c", `exec ${command}`], { cwd, env, stdout: "ignore", stderr: "ignore" });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
}

async function run(command: string[], cwd: string, env: Record<string, string>): Promise<Command> {
  const options = { stdout: "pipe", stderr: "pipe", stdin: "ignore", timeout: HANG_MS } as const;
  const child = Bun.spawn(command, { cwd, env: { PATH: process.env["PATH"], ...env }, ...options });
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, stdout, stderr };
}
