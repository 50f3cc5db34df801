import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { CommandError } from "../errors.ts";
import { syncFolder } from "../files.ts";
import { parseJson } from "../json/parse.ts";
import { fileErrorText } from "../system-error.ts";
import type { UpdateFiles } from "./files.ts";

const Entry = z.object({
  pid: z.int().positive(),
  /** The start of the system that the process belongs to. Afterwards, another process may have its number. */
  boot: z.string().max(64).optional(),
  /** The versions of an executable that has replaced another, and the services that are to run it. */
  replaced: z
    .object({
      from: z.string().max(64),
      to: z.string().max(64),
      services: z.array(z.string().max(100)).max(1_000),
    })
    .optional(),
});
type Replaced = NonNullable<z.output<typeof Entry>["replaced"]>;

export interface Journal {
  /** The update that was killed before its services ran the new executable. */
  interrupted: Replaced | undefined;
  /** Notes that the executable is about to be replaced. */
  noteReplaced(versions: Replaced): void;
  /** Ends the update, whatever its outcome. */
  end(): void;
}

/**
 * Begins an update: only one at a time can have begun. Removes what one that was killed has left. Throws a
 * `CommandError` while another one runs, or if the folder cannot be written.
 */
export function beginUpdate(files: UpdateFiles): Journal {
  const { journal, part, previous } = files;
  const earlier = take(journal);
  for (const leftover of [part, `${previous}.part`, `${part}.failed`]) rmSync(leftover, { force: true });
  return {
    interrupted: earlier?.replaced,
    noteReplaced(versions) {
      const temporary = `${journal}.part`;
      writeFileSync(temporary, JSON.stringify({ ...thisProcess(), replaced: versions }), { flush: true });
      renameSync(temporary, journal);
      syncFolder(dirname(journal));
    },
    end: () => rmSync(journal, { force: true }),
  };
}

/** Creates the journal. Returns the entry of an update that was killed. */
function take(path: string): z.output<typeof Entry> | undefined {
  const text = JSON.stringify(thisProcess());
  try {
    if (create(path, text)) return undefined;
    const earlier = Entry.safeParse(parseJson(readFileSync(path, "utf8"))).data;
    if (earlier && isRunning(earlier))
      throw new CommandError(
        `Another update runs (process ${earlier.pid}). Wait until it has ended. If there is none, delete ${path}.`,
      );
    rmSync(path, { force: true });
    // This update may be killed too, before it has finished the earlier one.
    if (create(path, JSON.stringify({ ...thisProcess(), replaced: earlier?.replaced }))) return earlier;
    throw new CommandError("Another update has begun at the same moment. Wait until it has ended.");
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`Cannot write ${path}: ${fileErrorText(error)}`, { cause: error });
  }
}

function create(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: "wx", mode: 0o644 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

const thisProcess = () => ({ pid: process.pid, boot: bootId() });

/** Returns what differs after each start of the system, where the system tells it. */
function bootId(): string | undefined {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return undefined;
  }
}

function isRunning({ pid, boot }: z.output<typeof Entry>): boolean {
  if (pid === process.pid || (boot !== undefined && boot !== bootId())) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
