import { Database } from "bun:sqlite";
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { readNumber } from "../store/sqlite/database.ts";
import { APPLICATION_ID, MIGRATIONS } from "../store/sqlite/migrations.ts";

/**
 * Whether this version can use a database: `older` if it migrates it first; `newer` and `foreign` if it refuses it;
 * `absent` if there is none yet.
 */
export type DataVersion = "current" | "older" | "newer" | "foreign" | "absent";

/** Looks at the database, and changes nothing, not even the files beside it. */
export function readDataVersion(path: string): DataVersion {
  if (!existsSync(path)) return "absent";
  // SQLite creates both to read a database without them. They would belong to the user who runs this.
  const isOpen = existsSync(`${path}-wal`) && existsSync(`${path}-shm`);
  const { application, version, isEmpty } = isOpen ? readOpen(path) : readHeader(path);
  if (isEmpty) return "absent";
  if (application !== APPLICATION_ID) return "foreign";
  if (version > MIGRATIONS.length) return "newer";
  return version < MIGRATIONS.length ? "older" : "current";
}

function readOpen(path: string) {
  const database = new Database(path, { readonly: true });
  try {
    const version = readNumber(database, "PRAGMA user_version");
    const application = readNumber(database, "PRAGMA application_id");
    return { version, application, isEmpty: application === 0 && version === 0 };
  } finally {
    database.close();
  }
}

/** https://www.sqlite.org/fileformat.html#the_database_header */
const HEADER_BYTES = 100;
const USER_VERSION_AT = 60;
const APPLICATION_ID_AT = 68;

function readHeader(path: string) {
  const file = openSync(path, "r");
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    const isEmpty = readSync(file, header, 0, HEADER_BYTES, 0) === 0;
    return {
      version: header.readUInt32BE(USER_VERSION_AT),
      application: header.readUInt32BE(APPLICATION_ID_AT),
      isEmpty,
    };
  } finally {
    closeSync(file);
  }
}
