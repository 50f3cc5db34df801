import { z } from "zod";
import { loadSeal } from "../auth/seal.ts";
import { DATABASE_NAME } from "../store/sqlite/open.ts";
import type { Contents } from "../store/sqlite/snapshot.ts";

/*
 * A backup is a tar archive: `backup.json`, `server.db`, and those of the keys that are in the data folder.
 * Unpacked into an empty data folder it is one that a server can be started on.
 */

export { DATABASE_NAME };
export const MANIFEST_NAME = "backup.json";
export const SEAL_KEY_NAME = "seal.key";
export const AGENT_KEY_NAME = "agent.key";

/** What a backup has of a data folder, and a restore puts there. */
export const FILE_NAMES = [DATABASE_NAME, SEAL_KEY_NAME, AGENT_KEY_NAME] as const;
export type FileName = (typeof FILE_NAMES)[number];

const FORMAT_VERSION = 1;
const count = z.int().nonnegative();
const file = z.object({ bytes: count, sha256: z.string() });

export const Manifest = z.object({
  format: z.literal("chatgpt-api-server backup"),
  /** Of the format; a program refuses one that it does not know. */
  version: z.int().max(FORMAT_VERSION),
  made_at: z.string(),
  /** The version of the program that made it, and of the schema of the database. */
  program: z.string(),
  schema: count,
  users: count,
  conversations: count,
  /** Where the key is that the tokens are sealed with: in this file, or with who runs the server. */
  seal_key: z.enum(["included", "not included"]),
  files: z.partialRecord(z.enum(FILE_NAMES), file),
});
export type Manifest = z.output<typeof Manifest>;

export const FORMAT = { format: "chatgpt-api-server backup", version: FORMAT_VERSION } as const;

/** How many of the tokens the seal key opens: the one of the settings, else the one in the file `path`, which there must be. */
export function countOpened(
  tokens: Contents["tokens"],
  { sealKey, path }: { sealKey: string | undefined; path: string },
): number {
  const seal = loadSeal({ sealKey, path });
  return tokens.filter(({ user, sealed }) => seal.open(sealed, user) !== undefined).length;
}
