import { eq, inArray, lt, sql } from "drizzle-orm";
import type { ConversationStore } from "../store.ts";
import { type Connection, hasCode } from "./database.ts";
import { createPending, type PendingConversation } from "./pending.ts";
import { conversations } from "./schema.ts";

const FLUSH_MS = 50;
const FLUSH_AFTER_FAILURE_MS = 1_000;
/** What one transaction takes, so that none holds up the event loop for more than some milliseconds. */
const BATCH_ROWS = 1_000;

/** Runs something once after a delay, which must not keep the process alive; the answer stops it. */
export type After = (delayMs: number, run: () => void) => () => void;

interface ConversationStoreOptions {
  connection: Connection;
  now: () => number;
  after: After;
  onError: (error: Error) => void;
}

interface WrittenBehind extends ConversationStore {
  /** Forgets what waits to be written for a user that is deleted. */
  dropUser(user: string): void;
  /** Writes what waits for the last time; what cannot be written is reported and lost. */
  end(): Promise<void>;
}

export function createConversationStore(options: ConversationStoreOptions): WrittenBehind {
  const { connection, now, after, onError } = options;
  const query = prepare(connection);
  const pending = createPending();
  let ended = false;
  let stopTimer: (() => void) | undefined;
  let flushing: Promise<void> | undefined;

  function schedule(delayMs: number): void {
    if (ended) return;
    stopTimer ??= after(delayMs, () => {
      stopTimer = undefined;
      flush().catch(report);
    });
  }

  function report(cause: unknown): void {
    onError(describeFailure(cause, pending.size, pending.takeLost()));
    schedule(FLUSH_AFTER_FAILURE_MS);
  }

  function flush(): Promise<void> {
    flushing ??= writePending().finally(() => {
      flushing = undefined;
    });
    return flushing;
  }

  async function writePending(): Promise<void> {
    while (pending.size > 0) {
      pending.settle(await connection.write(writeBatch, { durable: false }));
      if (pending.size > 0) await new Promise(setImmediate);
    }
  }

  function writeBatch(): PendingConversation[] {
    const batch = pending.first(BATCH_ROWS);
    for (const { id, user, agent, usedAt } of batch) {
      try {
        query.upsert.run({ id, user, agent, usedAt });
      } catch (error) {
        // Its user was deleted meanwhile, by another process; the others are not to suffer.
        if (!hasCode(error, "SQLITE_CONSTRAINT_FOREIGNKEY")) throw error;
      }
    }
    return batch;
  }

  return {
    // What is written comes first: it wins over what waits under the same id for another owner.
    async find(id) {
      const known = query.find.get({ id }) ?? pending.find(id);
      return known && { id: known.id, user: known.user, agent: known.agent };
    },

    remember({ id, user, agent }) {
      pending.put({ id, user, agent, usedAt: now() });
      schedule(FLUSH_MS);
    },

    async purge(unusedSince) {
      await flush();
      let purged = 0;
      for (;;) {
        const batch = await connection.write(() => query.purge.all({ unusedSince }), {
          durable: false,
        });
        purged += batch.length;
        if (batch.length < BATCH_ROWS) return purged;
        await new Promise(setImmediate);
      }
    },

    dropUser: pending.dropUser,

    async end() {
      ended = true;
      stopTimer?.();
      await flush().catch(report);
    },
  };
}

function describeFailure(cause: unknown, waiting: number, lost: number): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const given = lost > 0 ? `, ${lost} were too many to wait and are lost` : "";
  return new Error(`${waiting} conversations could not be written${given}: ${reason}`, { cause });
}

function prepare({ orm }: Connection) {
  const unused = orm
    .select({ id: conversations.id })
    .from(conversations)
    .where(lt(conversations.usedAt, sql.placeholder("unusedSince")))
    .limit(BATCH_ROWS);
  return {
    find: orm
      .select({ id: conversations.id, user: conversations.userId, agent: conversations.agent })
      .from(conversations)
      .where(eq(conversations.id, sql.placeholder("id")))
      .prepare(),
    // A clock that was set back must not make a conversation look unused.
    upsert: orm
      .insert(conversations)
      .values({
        id: sql.placeholder("id"),
        userId: sql.placeholder("user"),
        agent: sql.placeholder("agent"),
        createdAt: sql.placeholder("usedAt"),
        usedAt: sql.placeholder("usedAt"),
      })
      .onConflictDoUpdate({
        target: conversations.id,
        set: { usedAt: sql`max(${conversations.usedAt}, excluded.used_at)` },
        setWhere: sql`${conversations.userId} is excluded.user_id and ${conversations.agent} = excluded.agent`,
      })
      .prepare(),
    purge: orm
      .delete(conversations)
      .where(inArray(conversations.id, unused))
      .returning({ id: conversations.id })
      .prepare(),
  };
}
