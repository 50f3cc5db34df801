import { desc, eq, inArray, lt, sql } from "drizzle-orm";
import type { ConversationStore } from "../store.ts";
import { type Connection, hasCode } from "./database.ts";
import { createPending, type PendingConversation } from "./pending.ts";
import { conversations, turns } from "./schema.ts";
import { createWriteBehind, purgeInBatches, type WriteBehindOptions } from "./write-behind.ts";

interface ConversationStoreOptions extends WriteBehindOptions {
  now: () => number;
}

interface WrittenBehind extends ConversationStore {
  /** Forgets what waits to be written for a user that is deleted. */
  dropUser(user: string): void;
  /** Writes what waits for the last time; what cannot be written is reported and lost. */
  end(): Promise<void>;
}

export function createConversationStore(options: ConversationStoreOptions): WrittenBehind {
  const { connection, now } = options;
  const query = prepare(connection);
  const pending = createPending();
  const behind = createWriteBehind(options, {
    noun: "conversations",
    pending,
    write(conversation) {
      try {
        writeOne(query, conversation);
      } catch (error) {
        // Its user was deleted meanwhile, by another process; the others are not to suffer.
        if (!hasCode(error, "SQLITE_CONSTRAINT_FOREIGNKEY")) throw error;
      }
    },
  });

  return {
    // What is written comes first: it wins over what waits under the same id for another owner.
    async find(id) {
      const known = query.find.get({ id }) ?? pending.find(id);
      if (!known) return undefined;
      const { user, agent, kept, model } = known;
      return { id: known.id, user, agent, kept, model: model ?? undefined };
    },

    async branch(conversation, last) {
      if (pending.find(conversation)) await behind.flush();
      const leaf = last ?? query.newestTurn.get({ conversation })?.id;
      const rows = leaf === undefined ? [] : query.branch.all(conversation, leaf);
      if (rows.length === 0) return undefined;
      return rows.map(({ parent, ...turn }) => ({ ...turn, parent: parent ?? undefined })).reverse();
    },

    remember(conversation, turn) {
      pending.put({ ...conversation, usedAt: now(), turns: turn ? [turn] : [] });
      behind.schedule();
    },

    async purge(unusedSince) {
      await behind.flush();
      return purgeInBatches(connection, (limit) => query.purge.all({ unusedSince, limit }).length);
    },

    dropUser: pending.dropUser,
    end: behind.end,
  };
}

type Queries = ReturnType<typeof prepare>;

function writeOne(
  query: Queries,
  { turns: added, usedAt, model, ...conversation }: PendingConversation,
): void {
  const changed = query.upsert.get({ ...conversation, model: model ?? null, usedAt });
  // Another owner's, or with its words at another agent: the turns are not to end up in it.
  if (!changed) return;
  for (const { parent, ...turn } of added) {
    query.addTurn.run({ ...turn, conversation: conversation.id, parent: parent ?? null, usedAt });
  }
}

interface TurnRow {
  id: string;
  parent: string | null;
  question: string;
  answer: string;
}

/** From the last turn to the first, by their parents. The number of turns ends a circle, should there be one. */
const BRANCH = `
  WITH RECURSIVE branch(id, parent, question, answer, depth) AS (
    SELECT id, parent_id, question, answer, 1 FROM turns WHERE conversation_id = ?1 AND id = ?2
    UNION ALL
    SELECT turns.id, turns.parent_id, turns.question, turns.answer, branch.depth + 1
    FROM branch JOIN turns ON turns.conversation_id = ?1 AND turns.id = branch.parent
    WHERE branch.depth < 10000
  )
  SELECT id, parent, question, answer FROM branch ORDER BY depth`;

function prepare({ orm, raw }: Connection) {
  return {
    find: orm
      .select({
        id: conversations.id,
        user: conversations.userId,
        agent: conversations.agent,
        kept: conversations.kept,
        model: conversations.model,
      })
      .from(conversations)
      .where(eq(conversations.id, sql.placeholder("id")))
      .prepare(),
    newestTurn: orm
      .select({ id: turns.id })
      .from(turns)
      .where(eq(turns.conversationId, sql.placeholder("conversation")))
      .orderBy(desc(turns.seq))
      .limit(1)
      .prepare(),
    branch: raw.prepare<TurnRow, [string, string]>(BRANCH),
    upsert: prepareUpsert(orm),
    addTurn: orm
      .insert(turns)
      .values({
        conversationId: sql.placeholder("conversation"),
        id: sql.placeholder("id"),
        parentId: sql.placeholder("parent"),
        question: sql.placeholder("question"),
        answer: sql.placeholder("answer"),
        createdAt: sql.placeholder("usedAt"),
      })
      .onConflictDoNothing()
      .prepare(),
    purge: preparePurge(orm),
  };
}

/** A clock that was set back must not make a conversation look unused. */
function prepareUpsert(orm: Connection["orm"]) {
  const mayChange = sql`${conversations.userId} is excluded.user_id and ${conversations.kept} = excluded.kept
    and (${conversations.kept} or ${conversations.agent} = excluded.agent)`;
  return orm
    .insert(conversations)
    .values({
      id: sql.placeholder("id"),
      userId: sql.placeholder("user"),
      agent: sql.placeholder("agent"),
      kept: sql.placeholder("kept"),
      model: sql.placeholder("model"),
      createdAt: sql.placeholder("usedAt"),
      usedAt: sql.placeholder("usedAt"),
    })
    .onConflictDoUpdate({
      target: conversations.id,
      set: {
        agent: sql`excluded.agent`,
        model: sql`excluded.model`,
        usedAt: sql`max(${conversations.usedAt}, excluded.used_at)`,
      },
      setWhere: mayChange,
    })
    .returning({ id: conversations.id })
    .prepare();
}

function preparePurge(orm: Connection["orm"]) {
  const unused = orm
    .select({ id: conversations.id })
    .from(conversations)
    .where(lt(conversations.usedAt, sql.placeholder("unusedSince")))
    .limit(sql.placeholder("limit"));
  return orm
    .delete(conversations)
    .where(inArray(conversations.id, unused))
    .returning({ id: conversations.id })
    .prepare();
}
