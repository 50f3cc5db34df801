import type { SQLQueryBindings } from "bun:sqlite";
import { createPutObjects, keyOf, OBJECT_LENGTH, type WrittenObject } from "../put-objects.ts";
import type { ResponseObjectStore, StoredObject } from "../store.ts";
import { type Connection, hasCode, type SqliteBehindOptions } from "./database.ts";
import { createConversationQuota } from "./upkeep/conversation-quota.ts";
import { createPurge } from "./upkeep/purge.ts";

export function createResponseStore(
  { connection, onWritten, ...options }: SqliteBehindOptions,
  quotaBytes = Number.POSITIVE_INFINITY,
) {
  const query = prepare(connection);
  const quota = createConversationQuota(connection, quotaBytes, "response_objects");
  const purge = createPurge(connection, "response_objects", "used_at");
  const pending = createPutObjects(options, async (objects) => {
    await connection.write(() => objects.forEach(writeIfOwned), { durable: false });
    onWritten?.();
  });

  function writeIfOwned(object: WrittenObject): void {
    try {
      writeOne(object, (query.find.get(object.key)?.revision ?? 0) + 1);
    } catch (error) {
      // Another process has deleted the user. The other objects must still be written.
      if (!hasCode(error, "SQLITE_CONSTRAINT_FOREIGNKEY")) throw error;
    }
  }

  function writeOne({ key, owner, at, body, items }: WrittenObject, revision: number): void {
    const length = OBJECT_LENGTH + body.length;
    query.put.run(key, owner, at, revision, length, body);
    for (const item of items) query.putItem.run(keyOf(owner, item), key);
    quota.added(owner, key, length);
  }

  const stored = (id: string, row: Row | null): StoredObject | undefined =>
    row ? { id, body: row.body, revision: row.revision } : undefined;

  return {
    put: pending.put,
    written: pending.written,

    async find(owner, id) {
      return (await pending.find(owner, id)) ?? stored(id, query.find.get(keyOf(owner, id)));
    },

    async findByItem(owner, itemId) {
      await pending.tryFlush();
      const row = query.findByItem.get(keyOf(owner, itemId));
      return row ? stored(row.key.slice(keyOf(owner, "").length), row) : undefined;
    },

    replace(object, revision) {
      const key = keyOf(object.owner, object.id);
      return connection.write(() => {
        if ((query.find.get(key)?.revision ?? 0) !== revision) return false;
        writeOne({ ...object, key }, revision + 1);
        return true;
      });
    },

    async delete(owner, id) {
      const wasDropped = await pending.drop(owner, id);
      const key = keyOf(owner, id);
      // Even to begin a change may need room on the disk.
      if (!query.find.get(key)) return wasDropped;
      return (await connection.write(() => query.remove.run(key).changes > 0)) || wasDropped;
    },

    async purge(unusedSince) {
      await pending.tryFlush();
      return purge(unusedSince);
    },

    dropUser: pending.dropUser,
    end: pending.end,
  } satisfies ResponseObjectStore & { dropUser(user: string): void; end(): Promise<void> };
}

type Row = { key: string; body: Uint8Array; revision: number };

/** A conversation keeps the items of its answers, so an item may be in two objects: the last one counts. */
const PUT_ITEM = `
  INSERT INTO response_items (key, object_key) VALUES (?, ?)
  ON CONFLICT (key) DO UPDATE SET object_key = excluded.object_key`;

const PUT = `
  INSERT INTO response_objects (key, user_id, used_at, revision, length, body) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET
    used_at = excluded.used_at, revision = excluded.revision, length = excluded.length, body = excluded.body`;

const FIND_BY_ITEM = `
  SELECT key, body, revision FROM response_objects
  WHERE key = (SELECT object_key FROM response_items WHERE key = ?)`;

function prepare({ raw }: Connection) {
  return {
    find: raw.prepare<Row, [string]>("SELECT key, body, revision FROM response_objects WHERE key = ?"),
    findByItem: raw.prepare<Row, [string]>(FIND_BY_ITEM),
    put: raw.prepare<never, SQLQueryBindings[]>(PUT),
    putItem: raw.prepare<never, [string, string]>(PUT_ITEM),
    remove: raw.prepare<never, [string]>("DELETE FROM response_objects WHERE key = ?"),
  };
}
