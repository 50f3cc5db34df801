import { chownSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { readDataVersion } from "../../backup/data-version.ts";
import { restoreBackup } from "../../backup/restore.ts";
import { writeBackup } from "../../backup/write.ts";
import { databaseIn } from "../../data-folder.ts";
import { CommandError } from "../../errors.ts";
import { noPrevious, putBack, type UpdateFiles } from "../../update/files.ts";
import { askAboutData } from "../../update/probe.ts";
import type { Machine } from "../service/service.ts";
import type { Terminal } from "../terminal.ts";
import { PROGRAM, VERSION } from "../version.ts";
import type { InstalledService } from "./installed.ts";
import { becomesReady, startService, stopService } from "./restart.ts";

export interface SwitchOptions {
  files: UpdateFiles;
  /** The version of the executable that comes. */
  version: string;
  /** All services that run the executable, and those of them that run now. */
  services: readonly InstalledService[];
  running: readonly InstalledService[];
  machine: Machine;
  readyWithinMs: number;
  flags: { data: string | undefined };
  io: Terminal;
  /** Puts the executable that comes in its place. */
  change(): void;
  /** Whether it is `files.previous`, and not `files.part`. */
  isBack?: boolean;
}

/**
 * Puts another executable in its place, and restarts the running services with it. If one of them does not become ready,
 * goes back: the old executable, and the data as it was if the other version had migrated it. Throws a `CommandError` then.
 */
export async function switchServices(options: SwitchOptions): Promise<void> {
  const { files, io, running, version, isBack } = options;
  const comes = isBack ? files.previous : files.part;
  if (isBack && version === "") throw noPrevious(files);
  const saved = await checkData(comes, options);
  options.change();
  io.out(`${files.executable} is now ${PROGRAM} ${version}.\n`);
  if (await restartAll(options)) return;
  io.err(`${PROGRAM}: ${namesOf(running)} did not become ready. Going back to ${VERSION}.\n`);
  await goBack(options, saved);
  throw new CommandError(
    `${version} did not become ready within ${options.readyWithinMs / 1000} s, so ${VERSION} is back. The service's log says why.`,
  );
}

/** Restarts the services one after the other. Returns false as soon as one of them is not ready in time. */
export async function restartAll({ running, machine, readyWithinMs, io }: RestartAll): Promise<boolean> {
  for (const service of running) {
    io.out(`Restarting ${service.name}, which finishes its running requests first.\n`);
    try {
      await stopService(service, machine);
      await startService(service, machine);
    } catch (error) {
      io.err(`${PROGRAM}: ${error instanceof Error ? error.message : String(error)}\n`);
      return false;
    }
    if (!(await becomesReady(service, machine, readyWithinMs))) return false;
  }
  return true;
}

type RestartAll = Pick<SwitchOptions, "running" | "machine" | "readyWithinMs" | "io">;

/** The backups of data folders that the other version migrates, by the folders. */
type Saved = ReadonlyMap<string, string>;

/** Asks the version that comes whether it can use the data. Backs up what it will migrate. */
async function checkData(executable: string, options: SwitchOptions): Promise<Saved> {
  const saved = new Map<string, string>();
  for (const data of dataFolders(options)) {
    const verdict = await askAboutData(executable, data, options.io.env);
    if (verdict === "newer" || verdict === "foreign")
      throw new CommandError(
        `${options.version} cannot use the data in ${data}: ${verdict === "newer" ? "a newer version wrote it" : "it belongs to another program"}. Nothing was changed.`,
      );
    if (verdict !== "older") continue;
    const file = join(data, `before-${options.version}.backup`);
    await writeBackup({
      data,
      sealKey: undefined,
      file,
      overwrite: true,
      isAudited: false,
      program: VERSION,
    });
    options.io.out(`The new version migrates the data in ${data}. A backup of it is in ${file}\n`);
    saved.set(data, file);
  }
  return saved;
}

/** Returns the data folders of the servers, unless their data is in a PostgreSQL database. */
function dataFolders({ services, flags }: SwitchOptions): Set<string> {
  const isLocal = ({ kind, variable }: InstalledService) =>
    kind === "serve" && variable("CHATGPT_API_DATABASE_FILE") === undefined;
  const folders = services.filter(isLocal).map(({ variable }) => variable("CHATGPT_API_DATA"));
  return new Set([...folders, flags.data].filter((folder) => folder !== undefined));
}

async function goBack(options: SwitchOptions, saved: Saved): Promise<void> {
  const { files, running, machine, io } = options;
  for (const service of running)
    await stopService(service, machine).catch(() => {
      // One that has crashed does not run.
    });
  putBack(files);
  for (const [data, file] of saved)
    if (readDataVersion(databaseIn(data)) === "newer") await restoreData(data, file, io);
  if (await restartAll(options)) return;
  throw new CommandError(
    `${options.version} did not become ready, and neither did ${VERSION}, which is back. Look at the log of the service.`,
  );
}

/** Restores the data, for the user that it belonged to. */
async function restoreData(data: string, file: string, io: Terminal): Promise<void> {
  const { uid, gid } = statSync(databaseIn(data));
  const { replaced } = await restoreBackup({ file, data, sealKey: undefined, force: true });
  if (process.getuid?.() === 0)
    for (const entry of readdirSync(data, { recursive: true, encoding: "utf8" }))
      chownSync(join(data, entry), uid, gid);
  io.out(`Restored the data in ${data}. The migrated files are in ${replaced}\n`);
}

const namesOf = (services: readonly InstalledService[]) => services.map(({ name }) => name).join(", ");
