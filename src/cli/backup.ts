import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  copyFileSync,
  createReadStream,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { createAudit } from "../auth/audit.ts";
import { type TarEntry, writeTar } from "../backup/archive.ts";
import {
  AGENT_KEY_NAME,
  countOpened,
  DATABASE_NAME,
  type FileName,
  FORMAT,
  MANIFEST_NAME,
  Manifest,
  SEAL_KEY_NAME,
} from "../backup/format.ts";
import { readSettings } from "../config/read.ts";
import { CommandError } from "../errors.ts";
import { lockShared } from "../store/sqlite/lock.ts";
import { openStore } from "../store/sqlite/open.ts";
import {
  type Contents,
  copyDatabase,
  inspectDatabase,
  SCHEMA_VERSION,
  versionOf,
} from "../store/sqlite/snapshot.ts";
import { syncFolder } from "../store/sync-folder.ts";
import type { Io } from "./io.ts";
import { takeSwitches } from "./switches.ts";
import { PROGRAM, VERSION } from "./version.ts";

/** The server has this command make its backups, and has noted in the audit who asked for it. */
export const NOTED = "--noted";

const LOCK_WAIT_MS = 5_000;

interface Source {
  data: string;
  sealKey: string | undefined;
}

/**
 * `backup <file>` copies database and keys, as they are at one moment, into one file of mode 600. The server
 * may run, and is not held up. The file appears under its name when it is complete, or not at all.
 */
export async function backup(args: readonly string[], io: Io): Promise<number> {
  const { given, rest } = takeSwitches(args, ["--force", NOTED]);
  const { settings, positionals } = readSettings({ args: rest, env: io.env }, ["data", "sealKey"]);
  const [target, ...more] = positionals;
  if (!target || more.length > 0) {
    io.err(`usage: ${PROGRAM} backup <file> [--data <folder>] [--force]\n`);
    return 2;
  }
  const isForced = given["--force"];
  if (existsSync(target) && !isForced)
    throw new CommandError(`${target} is there already: choose another name, or overwrite it with --force`);
  const database = join(settings.data, DATABASE_NAME);
  if (!existsSync(database))
    throw new CommandError(`there is no database in ${settings.data}: give its folder with --data`);
  const letGo = lockShared(database, LOCK_WAIT_MS);
  try {
    const run = () => make(target, settings, isForced);
    const manifest = await (given[NOTED] ? run() : noted(database, basename(target), run));
    report(io, target, manifest, settings);
    return 0;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`cannot back up to ${target}: ${reason}`, { cause: error });
  } finally {
    letGo();
  }
}

/** Runs it with a row in the audit, which is then in the backup too. A database of an earlier version is left as it is. */
async function noted<T>(database: string, target: string, run: () => Promise<T>): Promise<T> {
  if (versionOf(database) < SCHEMA_VERSION) return run();
  const store = openStore({ path: database });
  try {
    const note = { actor: "cli", action: "backup", target } as const;
    return await createAudit({ audit: store.audit }).change(note, run);
  } finally {
    await store.close();
  }
}

async function make(target: string, source: Source, isForced: boolean): Promise<Manifest> {
  const stem = `${resolve(target)}.${randomBytes(6).toString("hex")}`;
  const [copy, part] = [`${stem}.db`, `${stem}.part`];
  try {
    copyDatabase(join(source.data, DATABASE_NAME), copy);
    const contents = inspectDatabase(copy);
    const madeAt = new Date();
    const entries = [await fileEntry(copy), ...keyEntries(source.data)];
    const manifest = describe(contents, entries, source, madeAt);
    await writeArchive(part, manifest, entries, madeAt);
    publish(part, target, isForced);
    return manifest;
  } finally {
    for (const file of [copy, `${copy}-journal`, part]) rmSync(file, { force: true });
  }
}

type Entry = TarEntry & { name: FileName; sha256: string };

async function fileEntry(path: string): Promise<Entry> {
  const hash = new Bun.CryptoHasher("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return { name: DATABASE_NAME, bytes: statSync(path).size, content: { path }, sha256: hash.digest("hex") };
}

/** Those that are there: where a key is in the settings there is no file. */
function keyEntries(data: string): Entry[] {
  const names = [SEAL_KEY_NAME, AGENT_KEY_NAME] as const;
  return names
    .filter((name) => existsSync(join(data, name)))
    .map((name) => {
      const content = readFileSync(join(data, name));
      return { name, bytes: content.length, content, sha256: Bun.SHA256.hash(content, "hex") };
    });
}

function describe(
  contents: Contents,
  entries: readonly Entry[],
  { data, sealKey }: Source,
  madeAt: Date,
): Manifest {
  const { version, users, conversations, tokens } = contents;
  const hasSealKey = entries.some(({ name }) => name === SEAL_KEY_NAME);
  const fits =
    hasSealKey &&
    sealKey === undefined &&
    (tokens.length === 0 || countOpened(tokens, { sealKey, path: join(data, SEAL_KEY_NAME) }) > 0);
  return Manifest.parse({
    ...FORMAT,
    made_at: madeAt.toISOString(),
    program: VERSION,
    schema: version,
    users,
    conversations,
    seal_key: fits ? "included" : "not included",
    files: Object.fromEntries(entries.map(({ name, bytes, sha256 }) => [name, { bytes, sha256 }])),
  });
}

async function writeArchive(
  path: string,
  manifest: Manifest,
  entries: readonly Entry[],
  madeAt: Date,
): Promise<void> {
  const content = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
  const file = openSync(path, "wx", 0o600);
  try {
    await writeTar(file, [{ name: MANIFEST_NAME, bytes: content.length, content }, ...entries], madeAt);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function publish(part: string, target: string, isForced: boolean): void {
  if (isForced) renameSync(part, target);
  else {
    try {
      linkSync(part, target);
    } catch (error) {
      // FAT and some network file systems have no links.
      if ((error as NodeJS.ErrnoException).code === "EEXIST") throw error;
      copyFileSync(part, target, constants.COPYFILE_EXCL);
    }
  }
  syncFolder(dirname(resolve(target)));
}

function report(
  io: Io,
  target: string,
  { users, conversations, files, seal_key }: Manifest,
  { data }: Source,
): void {
  const bytes = statSync(target).size;
  io.out(`backed up ${users} users and ${conversations} conversations to ${target}, ${bytes} bytes\n`);
  if (seal_key === "not included")
    io.err(
      `${PROGRAM}: the key that the tokens are sealed with is not in ${data}, so not in the backup: keep CHATGPT_API_SEAL_KEY with it\n`,
    );
  if (!files[AGENT_KEY_NAME])
    io.err(`${PROGRAM}: there is no ${AGENT_KEY_NAME} in ${data}: keep AGENT_KEY with the backup\n`);
}
