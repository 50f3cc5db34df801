import { chmodSync, readdirSync, statSync } from "node:fs";
import type { Users } from "../auth/users.ts";
import { ACME_NAME, AGENT_KEY_NAME, DATABASE_NAME, SEAL_KEY_NAME } from "../data-folder.ts";
import { causeOf, type Log } from "../log/log.ts";
import { FIRST_START_NAME } from "./first-start.ts";

const OWN_NAMES = [
  DATABASE_NAME,
  AGENT_KEY_NAME,
  SEAL_KEY_NAME,
  FIRST_START_NAME,
  ACME_NAME,
  "replaced-",
  "restore-",
  "backup-",
];

/**
 * Closes the data folder to other users. A folder that has more than the server's files, such as a home
 * folder, keeps its mode, as others may need it: then the log has a warning.
 */
export function closeFolder(folder: string, log: Pick<Log, "warn" | "info">): void {
  if (process.platform === "win32") return;
  const mode = statSync(folder).mode & 0o777;
  if ((mode & 0o077) === 0) return;
  const isOwn = readdirSync(folder).every((name) => OWN_NAMES.some((own) => name.startsWith(own)));
  if (isOwn && changeMode(folder)) {
    const words = `Closed the data folder ${folder} to other users.`;
    log.info("data_folder_closed", { before: octal(mode) }, words);
    return;
  }
  log.warn(
    "data_folder_open",
    { mode: octal(mode) },
    `Other users can ${mode & 0o022 ? "replace the files" : "see the names of the files"} in the data folder ${folder} (mode ${octal(mode)}). Run chmod 700 on it, or choose another folder with --data.`,
  );
}

/** Returns false if this process may not change the mode, or the file system has none. */
function changeMode(folder: string): boolean {
  try {
    chmodSync(folder, 0o700);
  } catch {
    return false;
  }
  return (statSync(folder).mode & 0o077) === 0;
}

const octal = (mode: number) => mode.toString(8).padStart(4, "0");

/** Warns of tokens that the seal key does not open, because the key was lost or replaced. Never rejects. */
export async function warnOfLostSeal(users: Pick<Users, "list">, log: Pick<Log, "warn">): Promise<void> {
  try {
    const listed = await users.list();
    const opened = listed.filter(({ token }) => token !== "").length;
    if (opened === listed.length) return;
    log.warn(
      "tokens_unreadable",
      { tokens: listed.length, opened },
      `The seal key opens ${opened} of ${listed.length} tokens. The others work, but the list of users does not show them. Restore ${SEAL_KEY_NAME} from a backup, or set CHATGPT_API_SEAL_KEY to the key that the server had.`,
    );
  } catch (error) {
    log.warn("users_unreadable", { cause: causeOf(error) });
  }
}

/** Says that this machine's clock differs from the database's, by which it and other servers compare their times. */
export function warnOfClock(aheadMs: number, log: Pick<Log, "warn">): void {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const where = aheadMs > 0 ? "ahead of" : "behind";
  log.warn(
    "clock_differs",
    { ahead_ms: aheadMs },
    `The clock of this machine is ${seconds} s ${where} the database's. Set both by NTP: until then codes, sessions and the limits of a day are off by as much.`,
  );
}
