import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { createAudit } from "../auth/audit.ts";
import { readTar } from "../backup/archive.ts";
import {
  countOpened,
  DATABASE_NAME,
  FILE_NAMES,
  MANIFEST_NAME,
  Manifest,
  SEAL_KEY_NAME,
} from "../backup/format.ts";
import { exchange } from "../backup/swap-files.ts";
import { readSettings } from "../config/read.ts";
import { CommandError } from "../errors.ts";
import { parseJson } from "../json/parse.ts";
import { lockExclusive } from "../store/sqlite/lock.ts";
import { openStore } from "../store/sqlite/open.ts";
import { inspectDatabase, SCHEMA_VERSION } from "../store/sqlite/snapshot.ts";
import type { Io } from "./io.ts";
import { takeSwitches } from "./switches.ts";
import { PROGRAM } from "./version.ts";

interface Target {
  data: string;
  sealKey: string | undefined;
}

/**
 * `restore <file>` checks all of a backup, and only then puts its files in the place of those in the data
 * folder, which are kept in a folder beside them. Refuses while anything has the data open.
 */
export async function restore(args: readonly string[], io: Io): Promise<number> {
  const { given, rest } = takeSwitches(args, ["--force"]);
  const { settings, positionals } = readSettings({ args: rest, env: io.env }, ["data", "sealKey"]);
  const [source, ...more] = positionals;
  if (!source || more.length > 0) {
    io.err(`usage: ${PROGRAM} restore <file> [--data <folder>] [--force]\n`);
    return 2;
  }
  const refuse = (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    return new CommandError(`cannot restore ${source}: ${reason}`, { cause: error });
  };
  if (!existsSync(source)) throw refuse("there is no such file");
  const { data } = settings;
  const letGo = lockExclusive(join(data, DATABASE_NAME));
  const staging = join(data, `restore-${randomBytes(6).toString("hex")}.part`);
  try {
    mkdirSync(staging, { mode: 0o700 });
    const manifest = unpack(source, staging);
    const opened = check(staging, manifest, settings, given["--force"]);
    await note(staging, manifest);
    const aside = exchange({ staging, data });
    report(io, { manifest, opened, aside });
    return 0;
  } catch (error) {
    throw refuse(error);
  } finally {
    rmSync(staging, { recursive: true, force: true });
    letGo();
  }
}

/** The files of the backup in the folder, each with the very bytes that the manifest tells of. */
function unpack(source: string, folder: string): Manifest {
  const found = new Map<string, { bytes: number; sha256: string }>();
  const wanted: readonly string[] = [MANIFEST_NAME, ...FILE_NAMES];
  let finish = () => {};
  try {
    readTar(source, (name) => {
      finish();
      finish = () => {};
      if (!wanted.includes(name) || found.has(name)) return undefined;
      const file = openSync(join(folder, name), "wx", 0o600);
      const hash = new Bun.CryptoHasher("sha256");
      const entry = { bytes: 0, sha256: "" };
      found.set(name, entry);
      finish = () => {
        entry.sha256 = hash.digest("hex");
        fsyncSync(file);
        closeSync(file);
      };
      return (piece) => {
        for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
        hash.update(piece);
        entry.bytes += piece.length;
      };
    });
  } finally {
    finish();
  }
  const manifest = readManifest(join(folder, MANIFEST_NAME));
  for (const name of FILE_NAMES) {
    const [told, entry] = [manifest.files[name], found.get(name)];
    if (told?.sha256 !== entry?.sha256 || told?.bytes !== entry?.bytes)
      throw new CommandError(`${name} in it is damaged or missing`);
  }
  if (!found.has(DATABASE_NAME)) throw new CommandError(`there is no ${DATABASE_NAME} in it`);
  return manifest;
}

function readManifest(path: string): Manifest {
  if (!existsSync(path)) throw new CommandError(`it is no backup: there is no ${MANIFEST_NAME} in it`);
  const read = Manifest.safeParse(parseJson(readFileSync(path, "utf8")));
  if (!read.success) throw new CommandError(`its ${MANIFEST_NAME} is none that this version understands`);
  const { schema, program } = read.data;
  if (schema > SCHEMA_VERSION)
    throw new CommandError(`version ${program} of this program made it, which is newer: run that one`);
  return read.data;
}

/** Whether the database is whole, and how many of its tokens the seal key opens. */
function check(folder: string, { seal_key }: Manifest, { sealKey }: Target, isForced: boolean) {
  const { tokens } = inspectDatabase(join(folder, DATABASE_NAME));
  const path = join(folder, SEAL_KEY_NAME);
  const hasKey = sealKey !== undefined || existsSync(path);
  const opened = hasKey ? countOpened(tokens, { sealKey, path }) : 0;
  if (opened > 0 || tokens.length === 0 || isForced) return { opened, of: tokens.length };
  const where =
    seal_key === "included"
      ? "unset CHATGPT_API_SEAL_KEY, as the key is in the backup"
      : "set CHATGPT_API_SEAL_KEY to the key that the server had";
  throw new CommandError(
    `the seal key does not fit its tokens: ${where}, or restore with --force, and the list of users will not show them`,
  );
}

/** In the database that is about to take the place of the present one, which this also brings up to date. */
async function note(folder: string, { made_at, program, users }: Manifest): Promise<void> {
  const store = openStore({ path: join(folder, DATABASE_NAME) });
  try {
    const detail = { made_at, program, users };
    await createAudit({ audit: store.audit }).note({ actor: "cli", action: "restore", detail });
  } finally {
    await store.close();
  }
}

interface Outcome {
  manifest: Manifest;
  opened: { opened: number; of: number };
  aside: string | undefined;
}

function report(io: Io, { manifest, opened, aside }: Outcome): void {
  const { users, conversations, made_at } = manifest;
  io.out(`restored ${users} users and ${conversations} conversations, as they were at ${made_at}\n`);
  if (aside !== undefined) io.out(`what was there before is in ${aside}\n`);
  if (opened.opened < opened.of)
    io.err(
      `${PROGRAM}: the seal key opens ${opened.opened} of ${opened.of} tokens; the others work, but are not listed\n`,
    );
}
