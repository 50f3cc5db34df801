import { NOTED } from "../cli/backup.ts";
import type { Config } from "../config/read.ts";
import type { MakeBackup } from "./download.ts";

const REASON_LENGTH_MAX = 1_000;

/** How this program is called: itself where it is compiled, else the runtime with its main file. */
export function ownCommand(): string[] {
  const isCompiled = /^(\/\$bunfs\/|[A-Z]:[\\/]~BUN[\\/])/i.test(Bun.main);
  return isCompiled ? [process.execPath] : [process.execPath, Bun.main];
}

/**
 * Has the command `backup` make the file, in a process of its own: a database is copied and checked without a pause,
 * which would hold up every caller of this one.
 */
export function backupMaker(
  { data, sealKey }: Pick<Config, "data" | "sealKey">,
  command: readonly string[],
): MakeBackup {
  return async (file, signal) => {
    const child = Bun.spawn([...command, "backup", NOTED, "--data", data, "--", file], {
      // Nothing else of the environment concerns it, and the other secrets least of all.
      env: sealKey === undefined ? {} : { CHATGPT_API_SEAL_KEY: sealKey },
      stdio: ["ignore", "ignore", "pipe"],
      signal,
      killSignal: "SIGKILL",
    });
    const [code, said] = await Promise.all([child.exited, new Response(child.stderr).text()]);
    if (code !== 0) throw new Error(said.trim().slice(0, REASON_LENGTH_MAX) || `it ended with ${code}`);
  };
}
