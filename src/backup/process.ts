import type { Config } from "../config/settings.ts";
import type { MakeBackup } from "./download.ts";

const REASON_LENGTH_MAX = 1_000;

/**
 * Tells the command `backup` that the audit already has a row for the backup, with the name of who asked for
 * it.
 */
export const AUDITED_FLAG = "--audited";

/** Returns the command that runs this program: the executable, or the runtime with the main file. */
export function ownCommand(): string[] {
  const isCompiled = /^(\/\$bunfs\/|[A-Z]:[\\/]~BUN[\\/])/i.test(Bun.main);
  return isCompiled ? [process.execPath] : [process.execPath, Bun.main];
}

/**
 * Makes backups with the command `backup`, in a process of its own. Copying and checking a database takes one
 * long step, which would hold up every request of the server's process.
 */
export function backupMaker(
  { data, sealKey }: Pick<Config, "data" | "sealKey">,
  command: readonly string[],
): MakeBackup {
  return async (file, signal) => {
    const child = Bun.spawn([...command, "backup", AUDITED_FLAG, "--data", data, "--", file], {
      // The command needs nothing else of the environment, and least of all the other secrets.
      env: sealKey === undefined ? {} : { CHATGPT_API_SEAL_KEY: sealKey },
      stdio: ["ignore", "ignore", "pipe"],
      signal,
      killSignal: "SIGKILL",
    });
    const [code, stderr] = await Promise.all([child.exited, new Response(child.stderr).text()]);
    if (code !== 0) throw new Error(stderr.trim().slice(0, REASON_LENGTH_MAX) || `exit code ${code}`);
  };
}
