import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Environment } from "../../config/read.ts";
import { CommandError } from "../../errors.ts";
import { makePrivate, syncFolder } from "../../files.ts";
import { parseJson } from "../../json/parse.ts";
import { fileErrorText } from "../../system-error.ts";
import { PROGRAM } from "../version.ts";

const KeptKey = z.object({
  key: z.string().min(1).max(256),
  /** The key's name at the server. */
  name: z.string(),
  /** The SHA-256 of the code that it was exchanged for. */
  code: z.string(),
});
export type KeptKey = z.output<typeof KeptKey>;

/** More than a kept key has. */
const PROBE_BYTES = 4096;

export type KeptKeys = ReturnType<typeof keptKeys>;

/** Returns the folder for a user's own data, as the system has it. */
export function userDataFolder(env: Environment, platform = process.platform, home = homedir()): string {
  const { XDG_DATA_HOME: xdg, LOCALAPPDATA: local } = env;
  if (platform === "win32") return join(local || join(home, "AppData", "Local"), PROGRAM);
  if (platform === "darwin") return join(home, "Library", "Application Support", PROGRAM);
  // Relative paths in it are to be ignored: https://specifications.freedesktop.org/basedir-spec/latest/.
  return join(xdg?.startsWith("/") ? xdg : join(home, ".local", "share"), PROGRAM);
}

/**
 * Returns the file of a data folder that keeps the key for one server, which is named by its label, such as
 * `wss://chat.example.com`. All methods throw a `CommandError` that names the file.
 */
export function keptKeys(data: string, label: string) {
  const file = join(data, "paired", `${encodeURIComponent(label.replace("://", "-"))}.json`);
  const folder = dirname(file);

  function attempt<T>(what: string, run: () => T): T {
    try {
      return run();
    } catch (cause) {
      if (cause instanceof CommandError) throw cause;
      throw new CommandError(`Cannot ${what} the agent key in ${file}: ${fileErrorText(cause)}`, { cause });
    }
  }

  return {
    file,

    /** Returns undefined if no key is kept. Makes a file that others may read private. */
    read: (): KeptKey | undefined =>
      attempt("read", () => {
        const text = readIfThere(file);
        if (text === undefined) return undefined;
        makePrivate(file);
        const { data: kept } = KeptKey.safeParse(parseJson(text));
        if (kept) return kept;
        throw new CommandError(`The file ${file} has no agent key. Delete it, and pair the agent again.`);
      }),

    /** Makes sure that a key can be kept. */
    prepare: (): void =>
      attempt("keep", () => {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        const probe = `${file}.${randomBytes(6).toString("hex")}`;
        try {
          // A full disk has room for an empty file.
          writeFileSync(probe, " ".repeat(PROBE_BYTES), { flag: "wx", mode: 0o600, flush: true });
        } finally {
          rmSync(probe, { force: true });
        }
      }),

    /** Keeps a key, with mode 600, in place of the one before. It survives a loss of power. */
    write: (kept: KeptKey): void =>
      attempt("keep", () => {
        const temporary = `${file}.${randomBytes(6).toString("hex")}`;
        try {
          writeFileSync(temporary, `${JSON.stringify(kept)}\n`, { flag: "wx", mode: 0o600, flush: true });
          renameSync(temporary, file);
          syncFolder(folder);
        } finally {
          rmSync(temporary, { force: true });
        }
      }),
  };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    // Nothing is kept either where the folder itself is out of reach, as for a service without a home.
    if (!existsSync(file)) return undefined;
    throw error;
  }
}
