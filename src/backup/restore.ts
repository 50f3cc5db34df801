import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { join, sep } from "node:path";
import { createAudit } from "../auth/audit.ts";
import { readOrCreateKey } from "../auth/key-file.ts";
import { agentKey as agentKeyKind } from "../config/kinds.ts";
import type { Config } from "../config/settings.ts";
import { agentKeyIn, DATABASE_NAME, databaseIn, sealKeyIn } from "../data-folder.ts";
import { CommandError } from "../errors.ts";
import { parseJson } from "../json/parse.ts";
import { lockExclusive } from "../store/sqlite/lock.ts";
import { openStore } from "../store/sqlite/open.ts";
import { inspectDatabase, SCHEMA_VERSION } from "../store/sqlite/snapshot.ts";
import { fileErrorText } from "../system-error.ts";
import { readArchive } from "./archive.ts";
import { countOpened, FILE_NAMES, fingerprintOf, MANIFEST_NAME, Manifest } from "./format.ts";
import { removeLocked, swapFiles } from "./swap.ts";

interface RestoreOptions extends Pick<Config, "data" | "sealKey"> {
  /** The backup. */
  file: string;
  /** Whether to restore even if the seal key opens none of the tokens. */
  force: boolean;
}

/**
 * Checks all of a backup, and only then puts its files into the data folder. The files that were there are
 * moved to the folder `replaced` beside them. Refuses while any process has the data open.
 */
export async function restoreBackup({ file, data, sealKey, force }: RestoreOptions) {
  const staging = join(data, `restore-${randomBytes(6).toString("hex")}.part`);
  const refuse = (error: unknown) => {
    const reason = error instanceof CommandError ? error.message : fileErrorText(error);
    // The files are named as in the backup: where they were unpacked, nobody finds them any more.
    const shown = reason.replaceAll(staging + sep, "");
    return new CommandError(`Cannot restore ${file}: ${shown}`, { cause: error });
  };
  if (!existsSync(file)) throw refuse("The file does not exist.");
  const release = lockExclusive(databaseIn(data));
  removeLocked(data);
  try {
    mkdirSync(staging, { mode: 0o700 });
    const manifest = await unpack(file, staging);
    const checked = check(staging, manifest, sealKey, force);
    await note(staging, manifest);
    return { manifest, ...checked, replaced: swapFiles({ staging, data }) };
  } catch (error) {
    throw refuse(error);
  } finally {
    rmSync(staging, { recursive: true, force: true });
    release();
  }
}

/** Every file but the database is small, and is read into memory. */
const SMALL_BYTES_MAX = 1024 ** 2;

/** Puts the files of the backup into the folder, and checks each against the manifest. */
async function unpack(source: string, folder: string): Promise<Manifest> {
  const found = new Set<string>();
  const wanted: readonly string[] = [MANIFEST_NAME, ...FILE_NAMES];
  let finish = () => {};
  try {
    await readArchive(source, (name, bytes) => {
      finish();
      finish = () => {};
      if (!wanted.includes(name) || found.has(name)) return undefined;
      if (name !== DATABASE_NAME && bytes > SMALL_BYTES_MAX)
        throw new CommandError(`Its ${name} is too large (${bytes} bytes).`);
      const file = openSync(join(folder, name), "wx", 0o600);
      found.add(name);
      finish = () => {
        fsyncSync(file);
        closeSync(file);
      };
      return (piece) => appendFileSync(file, piece);
    });
  } finally {
    finish();
  }
  const manifest = readManifest(join(folder, MANIFEST_NAME));
  for (const name of FILE_NAMES) {
    const listed = manifest.files[name];
    const actual = found.has(name) ? await fingerprintOf(join(folder, name)) : undefined;
    if (listed?.sha256 !== actual?.sha256 || listed?.bytes !== actual?.bytes)
      throw new CommandError(`Its ${name} is damaged or missing.`);
  }
  if (!found.has(DATABASE_NAME)) throw new CommandError(`It has no ${DATABASE_NAME}.`);
  return manifest;
}

function readManifest(path: string): Manifest {
  if (!existsSync(path)) throw new CommandError(`The archive is not a backup: it has no ${MANIFEST_NAME}.`);
  const read = Manifest.safeParse(parseJson(readFileSync(path, "utf8")));
  if (!read.success) throw new CommandError(`This version of the program cannot read its ${MANIFEST_NAME}.`);
  const { schema, program } = read.data;
  if (schema > SCHEMA_VERSION)
    throw new CommandError(`A newer version of the program made it. Restore it with version ${program}.`);
  return read.data;
}

/** Checks that the database and the keys are intact. Returns how many tokens it has, and how many the seal key opens. */
function check(folder: string, { seal_key }: Manifest, sealKey: string | undefined, force: boolean) {
  const { tokens } = inspectDatabase(databaseIn(folder));
  const agentKeyPath = agentKeyIn(folder);
  if (existsSync(agentKeyPath)) readOrCreateKey(agentKeyPath, agentKeyKind.schema);
  const path = sealKeyIn(folder);
  const hasKey = sealKey !== undefined || existsSync(path);
  const openedTokens = hasKey ? countOpened(tokens, { sealKey, path }) : 0;
  if (openedTokens > 0 || tokens.length === 0 || force) return { tokens: tokens.length, openedTokens };
  const advice =
    seal_key === "included"
      ? "Unset CHATGPT_API_SEAL_KEY: the right key is in the backup."
      : "Set CHATGPT_API_SEAL_KEY to the key that the server had.";
  throw new CommandError(
    `The seal key does not fit its tokens. ${advice} Or restore with --force: the tokens will work, but the list of users will not show them.`,
  );
}

/** Adds a row to the audit of the database to be put in place, which also brings that database up to date. */
async function note(folder: string, { made_at, program, users }: Manifest): Promise<void> {
  await using store = openStore({ path: databaseIn(folder) });
  const detail = { made_at, program, users };
  await createAudit({ audit: store.audit }).note({ actor: "cli", action: "restore", detail });
}
