import { existsSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "./errors.ts";

export const DATABASE_NAME = "server.db";
/** Holds the key that the users' tokens are encrypted with, unless the settings have one. */
export const SEAL_KEY_NAME = "seal.key";
/** Holds the main agent key, unless the settings have one. */
export const AGENT_KEY_NAME = "agent.key";

/** Holds the admin key that was generated, if none is given. */
export const ADMIN_KEY_NAME = "admin.key";

/** The folder of the account keys and the certificates that the server gets by itself. */
export const ACME_NAME = "acme";

/** The folder of the forms of running requests. */
export const UPLOADS_NAME = "uploads";

export const uploadFolderIn = (folder: string) => join(folder, UPLOADS_NAME);
export const acmeFolderIn = (folder: string) => join(folder, ACME_NAME);
export const adminKeyIn = (folder: string) => join(folder, ADMIN_KEY_NAME);
export const databaseIn = (folder: string) => join(folder, DATABASE_NAME);
export const sealKeyIn = (folder: string) => join(folder, SEAL_KEY_NAME);
export const agentKeyIn = (folder: string) => join(folder, AGENT_KEY_NAME);

/** Returns the path of the database in the folder. Throws a `CommandError` if there is none. */
export function existingDatabaseIn(folder: string): string {
  const path = databaseIn(folder);
  if (existsSync(path)) return path;
  throw new CommandError(
    `There is no database in ${folder}. Name the server's data folder with --data, or start the server once to create one.`,
  );
}
