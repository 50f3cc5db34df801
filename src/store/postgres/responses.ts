import { createPutObjects, keyOf, OBJECT_LENGTH, type WrittenObject } from "../put-objects.ts";
import type { ResponseObjectStore, StoredObject } from "../store.ts";
import type { WriteBehindOptions } from "../write-behind.ts";
import { createConversationQuota } from "./conversation-quota.ts";
import type { Pools } from "./pools.ts";
import { createPurge } from "./purge.ts";
import { plain } from "./rows.ts";

const FLUSH_MS = 50;
/** At once, as answers wait for it. What comes during a write forms the next batch. */
const SHARED_FLUSH_MS = 0;
/** A longer body may take long to write. */
const LONG_BYTES = 1024 ** 2;

interface ResponseOptions extends WriteBehindOptions {
  /** Default: all is kept. */
  quotaBytes?: number | undefined;
  /** Whether other servers read the objects. */
  isShared: boolean;
}

export function createResponseStore({ hot, cold }: Pools, options: ResponseOptions) {
  const { quotaBytes = Number.POSITIVE_INFINITY, isShared, ...behind } = options;
  const quota = createConversationQuota(cold, quotaBytes, "response_objects");
  const purge = createPurge(cold, "response_objects", "used_at");
  const pending = createPutObjects(
    { ...behind, flushMs: isShared ? SHARED_FLUSH_MS : FLUSH_MS },
    async (objects) => {
      for (const object of objects) await write(object, null);
    },
  );

  /** Writes the object if it has this revision; whatever it has if that is null. */
  async function write(
    { key, owner, at, body, items }: WrittenObject,
    revision: number | null,
  ): Promise<boolean> {
    const length = OBJECT_LENGTH + body.length;
    const keys = [...new Set(items.map((item) => plain(keyOf(owner, item))))].sort();
    const user = owner && plain(owner);
    const values = [
      ...[plain(key), user, at, length, Buffer.from(body).toString("base64"), revision],
      JSON.stringify(keys),
    ];
    const { run } = body.length > LONG_BYTES ? cold : hot;
    const written = await run(WRITE, values);
    if (written.length === 0) return false;
    await quota.added(user, plain(key), length).catch(options.onError);
    return true;
  }

  return {
    put: pending.put,
    written: pending.written,
    ...(isShared && { shared: pending.attempt }),

    async find(owner, id) {
      const waiting = await pending.find(owner, id);
      if (waiting) return waiting;
      const [row] = await hot.read<Row>(FIND, [plain(keyOf(owner, id))]);
      return row && stored(row, owner);
    },

    async findByItem(owner, itemId) {
      await pending.tryFlush();
      const [row] = await hot.read<Row>(FIND_BY_ITEM, [plain(keyOf(owner, itemId))]);
      return row && stored(row, owner);
    },

    replace: (object, revision) => write({ ...object, key: keyOf(object.owner, object.id) }, revision),

    async delete(owner, id) {
      const wasDropped = await pending.drop(owner, id);
      return (await hot.run(DELETE, [plain(keyOf(owner, id))])).length > 0 || wasDropped;
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

function stored({ key, body, revision }: Row, owner: string | null): StoredObject {
  return { id: key.slice(plain(keyOf(owner, "")).length), body, revision };
}

const FIND = "SELECT key, body, revision::float8 AS revision FROM response_objects WHERE key = $1";
const FIND_BY_ITEM = `
  SELECT objects.key, body, revision::float8 AS revision
  FROM response_items AS items JOIN response_objects AS objects ON objects.key = items.object_key
  WHERE items.key = $1`;
const DELETE = "DELETE FROM response_objects WHERE key = $1 RETURNING key";

/** Nothing is written for a user who was deleted, or if the object has another revision than the given one. */
const WRITE = `
  WITH written AS (
    INSERT INTO response_objects AS known (key, user_id, used_at, revision, length, body)
    SELECT $1::text, $2::text, $3::float8::bigint, 1, $4::float8::bigint, decode($5::text, 'base64')
    WHERE ($2::text IS NULL OR EXISTS (SELECT FROM users WHERE users.id = $2::text))
      AND (coalesce($6::float8, 0) = 0 OR EXISTS (SELECT FROM response_objects WHERE key = $1::text))
    ON CONFLICT (key) DO UPDATE SET
      used_at = excluded.used_at, revision = known.revision + 1, length = excluded.length, body = excluded.body
    WHERE $6::float8 IS NULL OR known.revision = $6::float8::bigint
    RETURNING key
  ), items AS (
    INSERT INTO response_items (key, object_key)
    SELECT item, written.key FROM written, json_array_elements_text($7::text::json) AS item ORDER BY item
    ON CONFLICT (key) DO UPDATE SET object_key = excluded.object_key
  )
  SELECT key FROM written`;
