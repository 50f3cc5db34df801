import { createReadStream, statSync } from "node:fs";
import { z } from "zod";
import { loadSeal } from "../auth/seal.ts";
import { AGENT_KEY_NAME, DATABASE_NAME, SEAL_KEY_NAME } from "../data-folder.ts";
import { PRINTABLE } from "../printable.ts";
import type { Contents } from "../store/sqlite/snapshot.ts";

// A backup is a tar archive of `backup.json`, `server.db`, and the keys that are in the data folder. Unpacked
// into an empty folder it is a data folder that a server can start on.

export const MANIFEST_NAME = "backup.json";

/** The files of a data folder that a backup holds and a restore replaces. */
export const FILE_NAMES = [DATABASE_NAME, SEAL_KEY_NAME, AGENT_KEY_NAME] as const;
export type FileName = (typeof FILE_NAMES)[number];

export const FORMAT = { format: "chatgpt-api-server backup", version: 1 } as const;

const count = z.int().nonnegative();
const Fingerprint = z.object({ bytes: count, sha256: z.string() });

export const Manifest = z.object({
  format: z.literal(FORMAT.format),
  /** The version of the format. A program refuses a version that it does not know. */
  version: z.int().max(FORMAT.version),
  made_at: z.iso.datetime(),
  /** The version of the program that made the backup. */
  program: z.string().max(64).regex(PRINTABLE),
  /** The version of the database's schema. */
  schema: count,
  users: count,
  conversations: count,
  /** Whether the key that encrypts the tokens is in the backup, or only in the server's settings. */
  seal_key: z.enum(["included", "not included"]),
  files: z.partialRecord(z.enum(FILE_NAMES), Fingerprint),
});
export type Manifest = z.output<typeof Manifest>;

/** Returns how many tokens the seal key opens: that of the settings, or else the one in the file at `path`. */
export function countOpened(
  tokens: Contents["tokens"],
  { sealKey, path }: { sealKey: string | undefined; path: string },
): number {
  const seal = loadSeal({ sealKey, path });
  return tokens.filter(({ user, sealed }) => seal.open(sealed, user) !== undefined).length;
}

export async function fingerprintOf(path: string): Promise<z.output<typeof Fingerprint>> {
  const hash = new Bun.CryptoHasher("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return { bytes: statSync(path).size, sha256: hash.digest("hex") };
}
