import type { SQLQueryBindings } from "bun:sqlite";
import { desc, eq, getTableColumns, sql } from "drizzle-orm";
import { principalOf, userIdOf } from "../../principal.ts";
import type { Conversation, Turn } from "../../relay/conversation.ts";
import { createRemembered, lengthOf, mayContinue, ROW_LENGTH, type UsedConversation } from "../remembered.ts";
import type { ConversationStore } from "../store.ts";
import { type Connection, hasCode, type SqliteBehindOptions } from "./database.ts";
import { conversations, turns } from "./schema.ts";
import { createConversationQuota } from "./upkeep/conversation-quota.ts";
import { createPurge } from "./upkeep/purge.ts";

export function createConversationStore(
  { connection, onWritten, ...options }: SqliteBehindOptions,
  now: () => number,
  quotaBytes = Number.POSITIVE_INFINITY,
) {
  const query = prepare(connection);
  const quota = createConversationQuota(connection, quotaBytes);
  const purge = createPurge(connection, "conversations", "used_at");
  const remembered = createRemembered(options, now, async (used) => {
    await connection.write(() => used.forEach(writeIfOwned), { durable: false });
    onWritten?.();
  });

  function writeIfOwned(conversation: UsedConversation): void {
    try {
      const added = writeOne(query, conversation);
      quota.added(userIdOf(conversation.owner), conversation.id, added);
    } catch (error) {
      // Another process has deleted the user. The other conversations must still be written.
      if (!hasCode(error, "SQLITE_CONSTRAINT_FOREIGNKEY")) throw error;
    }
  }

  function findWritten(id: string): Conversation | undefined {
    const known = query.find.get({ id });
    if (!known) return undefined;
    const { user, model, ...rest } = known;
    return { ...rest, owner: principalOf(user), model: model ?? undefined };
  }

  /** Returns the turns that could not be written, as the disk is full: the last one first. */
  function pendingBranch(id: string, last: string | undefined): Turn[] {
    const pending = remembered.find(id);
    const written = pending && findWritten(id);
    const isTheirs = pending !== undefined && (!written || mayContinue(written, pending));
    return isTheirs ? remembered.branch(id, last) : [];
  }

  return {
    // The written conversation comes first: it wins over a pending one of another owner with the same id.
    find: async (id) => findWritten(id) ?? remembered.find(id),

    async branch(conversation, last) {
      if (remembered.find(conversation)) await remembered.tryFlush();
      const pending = pendingBranch(conversation, last);
      const first = pending.at(-1);
      const leaf = first ? first.parent : (last ?? query.newestTurn.get({ conversation })?.id);
      const rows = leaf === undefined ? [] : query.branch.all(conversation, leaf);
      const written = rows.map(({ parent, ...turn }) => ({ ...turn, parent: parent ?? undefined }));
      const branch = [...pending, ...written].reverse();
      return branch.length === 0 ? undefined : branch;
    },

    remember: remembered.add,

    async purge(unusedSince) {
      await remembered.flush();
      return purge(unusedSince);
    },

    dropUser: remembered.dropUser,
    end: remembered.end,
  } satisfies ConversationStore & { dropUser(user: string): void; end(): Promise<void> };
}

type Queries = ReturnType<typeof prepare>;

/** Returns the length that the conversation has grown by. */
function writeOne(query: Queries, { turns: added, ...conversation }: UsedConversation): number {
  const { id, owner, agent, usedAt, kept, model = null } = conversation;
  const user = userIdOf(owner);
  const length = lengthOf(added);
  const isNew = query.insert.run(id, user, agent, usedAt, kept, model, ROW_LENGTH + length).changes > 0;
  // A known conversation may have another owner, or another agent has its text: it must not get the turns.
  if (!isNew && query.update.run(id, user, agent, usedAt, kept, model, length).changes === 0) return 0;
  let knownLength = 0;
  for (const turn of added) {
    const { parent = null, question, answer } = turn;
    const isKnown = query.addTurn.run(id, turn.id, parent, question, answer, usedAt).changes === 0;
    if (isKnown) knownLength += lengthOf([turn]);
  }
  if (knownLength > 0) query.shrink.run(id, knownLength);
  return length - knownLength + (isNew ? ROW_LENGTH : 0);
}

type TurnRow = Omit<Turn, "parent"> & { parent: string | null };

/** Follows the parents from the last turn to the first. The limit of the depth ends a circle. */
const BRANCH = `
  WITH RECURSIVE branch(id, parent, question, answer, depth) AS (
    SELECT id, parent_id, question, answer, 1 FROM turns WHERE conversation_id = ?1 AND id = ?2
    UNION ALL
    SELECT turns.id, turns.parent_id, turns.question, turns.answer, branch.depth + 1
    FROM branch JOIN turns ON turns.conversation_id = ?1 AND turns.id = branch.parent
    WHERE branch.depth < 10000
  )
  SELECT id, parent, question, answer FROM branch ORDER BY depth`;

/* These run for every ask, so they are prepared without drizzle, which would take as long as SQLite itself. */
const INSERT = `
  INSERT INTO conversations (id, user_id, agent, created_at, used_at, kept, model, length)
  VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7)
  ON CONFLICT DO NOTHING`;

/** A clock that was set back must not make a conversation look unused. */
const UPDATE = `
  UPDATE conversations
  SET agent = ?3, used_at = max(used_at, ?4), model = ?6, length = length + ?7
  WHERE id = ?1 AND user_id IS ?2 AND kept = ?5 AND (kept OR agent = ?3)`;

/** A conversation that was used again while it was written comes with all its turns once more. */
const ADD_TURN = `
  INSERT INTO turns (conversation_id, id, parent_id, question, answer, created_at)
  VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT DO NOTHING`;

/** Takes back the length of turns that were known. */
const SHRINK = "UPDATE conversations SET length = length - ?2 WHERE id = ?1";

function prepare({ orm, raw }: Connection) {
  const { id, userId, agent, kept, model } = getTableColumns(conversations);
  return {
    find: orm
      .select({ id, user: userId, agent, kept, model })
      .from(conversations)
      .where(eq(id, sql.placeholder("id")))
      .prepare(),
    newestTurn: orm
      .select({ id: turns.id })
      .from(turns)
      .where(eq(turns.conversationId, sql.placeholder("conversation")))
      .orderBy(desc(turns.seq))
      .limit(1)
      .prepare(),
    branch: raw.prepare<TurnRow, [string, string]>(BRANCH),
    insert: raw.prepare<never, SQLQueryBindings[]>(INSERT),
    update: raw.prepare<never, SQLQueryBindings[]>(UPDATE),
    addTurn: raw.prepare<never, SQLQueryBindings[]>(ADD_TURN),
    shrink: raw.prepare<never, [string, number]>(SHRINK),
  };
}
