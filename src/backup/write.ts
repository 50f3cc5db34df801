import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { createAudit } from "../auth/audit.ts";
import type { Config } from "../config/settings.ts";
import {
  AGENT_KEY_NAME,
  DATABASE_NAME,
  databaseIn,
  existingDatabaseIn,
  SEAL_KEY_NAME,
  sealKeyIn,
} from "../data-folder.ts";
import { CommandError } from "../errors.ts";
import { publishFile, syncFolder } from "../files.ts";
import { lockShared } from "../store/sqlite/lock.ts";
import { openStore } from "../store/sqlite/open.ts";
import {
  type Contents,
  copyDatabase,
  inspectDatabase,
  SCHEMA_VERSION,
  versionOf,
} from "../store/sqlite/snapshot.ts";
import { fileErrorText } from "../system-error.ts";
import { type ArchiveEntry, writeArchive } from "./archive.ts";
import { countOpened, type FileName, FORMAT, fingerprintOf, MANIFEST_NAME, Manifest } from "./format.ts";

const LOCK_WAIT_MS = 5_000;

interface BackupOptions extends Pick<Config, "data" | "sealKey"> {
  /** The backup to make. */
  file: string;
  overwrite: boolean;
  /** Whether the audit already has a row for this backup. */
  isAudited: boolean;
  /** The program's version. */
  program: string;
}

/**
 * Copies the database and the keys, as they are at one moment, into one file of mode 600. A server may run on
 * the data meanwhile; the copy does not hold it up. The file appears under its name when it is complete, or
 * not at all.
 */
export async function writeBackup(options: BackupOptions): Promise<Manifest> {
  const { data, file, overwrite, isAudited } = options;
  if (existsSync(file) && !overwrite) throw alreadyExists(file);
  const database = existingDatabaseIn(data);
  const release = lockShared(database, LOCK_WAIT_MS);
  try {
    const write = () => copyAndPack(options);
    return await (isAudited ? write() : audited(database, basename(file), write));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`Cannot back up to ${file}: ${fileErrorText(error)}`, { cause: error });
  } finally {
    release();
  }
}

/** Runs `write` after adding a row to the audit, so that the backup has it too. An old database stays as is. */
async function audited<T>(database: string, target: string, write: () => Promise<T>): Promise<T> {
  if (versionOf(database) < SCHEMA_VERSION) return write();
  await using store = openStore({ path: database });
  const note = { actor: "cli", action: "backup", target } as const;
  return await createAudit({ audit: store.audit }).change(note, write);
}

async function copyAndPack(options: BackupOptions): Promise<Manifest> {
  const { data, file, overwrite } = options;
  const stem = `${resolve(file)}.${randomBytes(6).toString("hex")}`;
  const [copy, part] = [`${stem}.db`, `${stem}.part`];
  try {
    copyDatabase(databaseIn(data), copy);
    const contents = inspectDatabase(copy);
    const madeAt = new Date();
    const database: Entry = { name: DATABASE_NAME, content: { path: copy }, ...(await fingerprintOf(copy)) };
    const entries = [database, ...keyEntries(data)];
    const manifest = describe(contents, entries, options, madeAt);
    await pack(part, manifest, entries, madeAt);
    if (!overwrite && !publishFile(part, resolve(file))) throw alreadyExists(file);
    if (overwrite) {
      renameSync(part, file);
      syncFolder(dirname(resolve(file)));
    }
    return manifest;
  } finally {
    for (const temporary of [copy, `${copy}-journal`, part]) rmSync(temporary, { force: true });
  }
}

type Entry = ArchiveEntry & { name: FileName; sha256: string };

/** The keys that are in the data folder; a key of the settings has no file. */
function keyEntries(data: string): Entry[] {
  const names = ([SEAL_KEY_NAME, AGENT_KEY_NAME] as const).filter((name) => existsSync(join(data, name)));
  return names.map((name) => {
    const content = readFileSync(join(data, name));
    return { name, bytes: content.length, content, sha256: Bun.SHA256.hash(content, "hex") };
  });
}

function describe(
  { version, users, conversations, tokens }: Contents,
  entries: readonly Entry[],
  { data, sealKey, program }: BackupOptions,
  madeAt: Date,
): Manifest {
  const usesKeyFile = sealKey === undefined && entries.some(({ name }) => name === SEAL_KEY_NAME);
  const opensTokens = () =>
    tokens.length === 0 || countOpened(tokens, { sealKey, path: sealKeyIn(data) }) > 0;
  return Manifest.parse({
    ...FORMAT,
    made_at: madeAt.toISOString(),
    program,
    schema: version,
    users,
    conversations,
    seal_key: usesKeyFile && opensTokens() ? "included" : "not included",
    files: Object.fromEntries(entries.map(({ name, bytes, sha256 }) => [name, { bytes, sha256 }])),
  });
}

async function pack(path: string, manifest: Manifest, entries: readonly Entry[], madeAt: Date) {
  const content = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
  const file = openSync(path, "wx", 0o600);
  try {
    await writeArchive(file, [{ name: MANIFEST_NAME, bytes: content.length, content }, ...entries], madeAt);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

const alreadyExists = (file: string) =>
  new CommandError(`${file} already exists. Choose another name, or overwrite it with --force.`);
