import { getTableColumns } from "drizzle-orm";
import { principalOf, userIdOf } from "../../principal.ts";
import type { Conversation, Turn } from "../../relay/conversation.ts";
import { createRemembered, lengthOf, ROW_LENGTH, type UsedConversation } from "../remembered.ts";
import type { ConversationStore } from "../store.ts";
import type { WriteBehindOptions } from "../write-behind.ts";
import { createConversationQuota } from "./conversation-quota.ts";
import { FOREIGN_KEY_VIOLATION, sqlStateOf } from "./pool.ts";
import type { Pools } from "./pools.ts";
import { createPurge } from "./purge.ts";
import { plain, selected } from "./rows.ts";
import { conversations } from "./schema.ts";

const FLUSH_MS = 50;
/** At once, as answers wait for it. What comes during a write forms the next batch. */
const SHARED_FLUSH_MS = 0;
/** A batch with longer texts may take long. If it failed for that, it would keep all others from being written. */
const LONG_LENGTH = 4 * 1024 ** 2;

interface ConversationOptions extends WriteBehindOptions {
  now: () => number;
  /** Default: all is kept. */
  quotaBytes?: number | undefined;
  /** Whether other servers continue the conversations. */
  isShared: boolean;
}

export function createConversationStore({ hot, cold }: Pools, options: ConversationOptions) {
  const { now, quotaBytes = Number.POSITIVE_INFINITY, isShared, ...behind } = options;
  const quota = createConversationQuota(cold, quotaBytes);
  const purge = createPurge(cold, "conversations", "used_at");
  const remembered = createRemembered(
    { ...behind, flushMs: isShared ? SHARED_FLUSH_MS : FLUSH_MS },
    now,
    async (used) => {
      const changed = await writeAll(used);
      await keepWithinQuota(changed).catch(options.onError);
    },
  );

  /** A user may be deleted during the first attempt. The second one sees that. */
  async function writeAll(used: readonly UsedConversation[]): Promise<Changed[]> {
    const values = parametersOf(used);
    const { run } = lengthOf(used.flatMap(({ turns }) => turns)) > LONG_LENGTH ? cold : hot;
    return run<Changed>(WRITE, values).catch((error) => {
      if (sqlStateOf(error) !== FOREIGN_KEY_VIOLATION) throw error;
      return run<Changed>(WRITE, values);
    });
  }

  async function keepWithinQuota(changed: readonly Changed[]): Promise<void> {
    for (const [user, ofUser] of Map.groupBy(changed, ({ user }) => user)) {
      const length = ofUser.reduce((sum, { grown }) => sum + grown, 0);
      const last = ofUser.reduce((last, one) => (one.nth > last.nth ? one : last));
      if (length > 0) await quota.added(user, last.id, length);
    }
  }

  return {
    // The written conversation comes first: it wins over a pending one of another owner with the same id.
    async find(id) {
      // It may be written after the database has looked, and is then no longer pending when the rows arrive.
      const pending = remembered.find(id);
      const [known] = await hot.read<FoundRow>(FIND, [plain(id)]);
      if (!known) return remembered.find(id) ?? pending;
      const { user, model, ...rest } = known;
      return { ...rest, id, owner: principalOf(user), model: model ?? undefined };
    },

    async branch(conversation, last) {
      if (remembered.find(conversation)) await remembered.flush();
      const leaf = last === undefined ? null : plain(last);
      const rows = await hot.read<TurnRow>(BRANCH, [plain(conversation), leaf]);
      return rows.length === 0 ? undefined : rows.map(turnOf).reverse();
    },

    remember: remembered.add,
    ...(isShared && { shared: remembered.attempt }),

    async purge(unusedSince) {
      await remembered.flush();
      return purge(unusedSince);
    },

    dropUser: remembered.dropUser,
    end: remembered.end,
  } satisfies ConversationStore & { dropUser(user: string): void; end(): Promise<void> };
}

type FoundRow = Pick<Conversation, "agent" | "kept"> & { user: string | null; model: string | null };
/** A conversation that the batch has changed, with the length that it has grown by. */
type Changed = { id: string; user: string | null; grown: number; nth: number };
type TurnRow = { id: string; parent: string | null; question: Uint8Array; answer: Uint8Array };

const { userId: user, agent, kept, model } = getTableColumns(conversations);
const FIND = `SELECT ${selected({ user, agent, kept, model })} FROM conversations WHERE id = $1`;

/** Follows the parents from a turn, or the newest one, to the first. The limit of the depth ends a circle. */
const BRANCH = `
  WITH RECURSIVE branch(id, parent, question, answer, depth) AS (
    SELECT id, parent_id, question, answer, 1 FROM turns
    WHERE conversation_id = $1 AND id = coalesce($2,
      (SELECT newest.id FROM turns AS newest WHERE conversation_id = $1 ORDER BY seq DESC LIMIT 1))
    UNION ALL
    SELECT turns.id, turns.parent_id, turns.question, turns.answer, branch.depth + 1
    FROM branch JOIN turns ON turns.conversation_id = $1 AND turns.id = branch.parent
    WHERE branch.depth < 10000
  )
  SELECT id, parent, question, answer FROM branch ORDER BY depth`;

/**
 * Writes a batch in one statement, in the order of ids: servers that write the same conversations in other
 * orders could wait for each other. Writing it again changes nothing. A known conversation of another owner, or
 * whose text another agent has, does not get the turns.
 */
const WRITE = `
  WITH used AS MATERIALIZED (
    SELECT * FROM json_to_recordset($1::text::json) AS used
      (nth int, id text, user_id text, agent text, used_at bigint, kept boolean, model text)
  ), new_turns AS MATERIALIZED (
    SELECT * FROM json_to_recordset($2::text::json) AS turn (nth int, conversation_id text, id text,
      parent_id text, question text, answer text, length bigint, created_at bigint)
    WHERE NOT EXISTS (SELECT FROM turns
      WHERE turns.conversation_id = turn.conversation_id AND turns.id = turn.id)
  ), grown AS (
    SELECT conversation_id, sum(length)::bigint AS length FROM new_turns GROUP BY conversation_id
  ), changed AS (
    INSERT INTO conversations (id, user_id, agent, created_at, used_at, kept, model, length)
    SELECT id, user_id, agent, used_at, used_at, kept, model, ${ROW_LENGTH} + coalesce(grown.length, 0)
    FROM used LEFT JOIN grown ON grown.conversation_id = used.id
    WHERE user_id IS NULL OR EXISTS (SELECT FROM users WHERE users.id = used.user_id)
    ORDER BY id
    ON CONFLICT (id) DO UPDATE SET
      agent = excluded.agent, model = excluded.model,
      used_at = greatest(conversations.used_at, excluded.used_at),
      length = conversations.length + excluded.length - ${ROW_LENGTH}
    WHERE conversations.user_id IS NOT DISTINCT FROM excluded.user_id AND conversations.kept = excluded.kept
      AND (conversations.kept OR conversations.agent = excluded.agent)
    RETURNING id, user_id, (xmax = 0) AS is_new
  ), added AS (
    INSERT INTO turns (conversation_id, id, parent_id, question, answer, created_at)
    SELECT conversation_id, new_turns.id, parent_id, decode(question, 'base64'), decode(answer, 'base64'), created_at
    FROM new_turns JOIN changed ON changed.id = conversation_id ORDER BY nth
    ON CONFLICT DO NOTHING
  )
  SELECT changed.id, changed.user_id AS user, used.nth,
    (coalesce(grown.length, 0) + CASE WHEN is_new THEN ${ROW_LENGTH} ELSE 0 END)::float8 AS grown
  FROM changed JOIN used ON used.id = changed.id LEFT JOIN grown ON grown.conversation_id = changed.id`;

function parametersOf(used: readonly UsedConversation[]): [string, string] {
  const rows = used.map(({ id, owner, agent, usedAt, kept, model = null }, nth) => {
    const user = userIdOf(owner);
    const texts = {
      id: plain(id),
      user_id: user && plain(user),
      agent: plain(agent),
      model: model && plain(model),
    };
    return { nth, ...texts, used_at: usedAt, kept };
  });
  const turns = used.flatMap(({ id, turns, usedAt }) =>
    turns.map((turn) => ({
      conversation_id: plain(id),
      id: plain(turn.id),
      parent_id: turn.parent === undefined ? null : plain(turn.parent),
      question: Buffer.from(turn.question).toString("base64"),
      answer: Buffer.from(turn.answer).toString("base64"),
      length: lengthOf([turn]),
      created_at: usedAt,
    })),
  );
  return [JSON.stringify(rows), JSON.stringify(turns.map((turn, nth) => ({ nth, ...turn })))];
}

function turnOf({ id, parent, question, answer }: TurnRow): Turn {
  return { id, parent: parent ?? undefined, question: textOf(question), answer: textOf(answer) };
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
