import { Database } from "bun:sqlite";
import { join } from "node:path";
import { contentOf, idOf, MODEL, textOf } from "../answers.ts";
import { makeData } from "../data-folder.ts";
import type { Exchange } from "../exchanges.ts";
import type { Workshop } from "../workshop.ts";

const USERS = 1_000;
/** The conversations begin this long ago. */
const DAYS_MS = 20 * 86_400_000;

/**
 * Makes a data folder with conversations of one turn each, whose texts have 40 and 200 characters. They are written
 * directly, as the server would need minutes for them. Resolves with its path.
 */
export async function makeConversations(workshop: Workshop, count: number): Promise<string> {
  const data = await makeData(workshop, `conversations-${count}`, { users: USERS });
  const database = new Database(join(data, "server.db"));
  const begin = Date.now() - DAYS_MS;
  const numbers = `WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ${count})`;
  const time = `${begin} + n * ${Math.floor(DAYS_MS / count)}`;
  try {
    database.run("PRAGMA synchronous = OFF");
    database.run(
      `INSERT INTO conversations (id, user_id, agent, created_at, used_at, kept, model, length)
       ${numbers} SELECT ${ID}, 'bench-user-' || (n % ${USERS}), 'agent', ${time}, ${time}, 1, '${MODEL}', 240 FROM numbers`,
    );
    database.run(
      `INSERT INTO turns (conversation_id, id, parent_id, question, answer, created_at)
       ${numbers} SELECT ${ID}, ${ID}, NULL, printf('%040d', n), printf('%0200d', n), ${time} FROM numbers`,
    );
    database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    database.close();
  }
  return data;
}

/** The id of a conversation by its number, in the order of time. */
const ID = "printf('%08x-bench', n)";

const conversationIdOf = (index: number): string => `${index.toString(16).padStart(8, "0")}-bench`;

const DELTAS = 3;

/** Continues one conversation of the data folder after the other, spread over all. */
export function continueExchange(conversations: number): Exchange {
  let next = 0;
  return async ({ connection, token, caller, exchange }) => {
    const id = idOf(caller, exchange);
    const index = (next++ * 7_919) % conversations;
    const content = contentOf({ id, deltas: DELTAS, pauseMs: 0 });
    const body = JSON.stringify({ content, conversation_id: conversationIdOf(index) });
    let answer = "";
    const status = await connection.send(
      `POST /api/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${token}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      (bytes, from, to) => {
        answer += bytes.toString("latin1", from, to);
      },
    );
    if (status !== 200 || JSON.parse(answer).content !== textOf(DELTAS))
      throw new Error(`A conversation could not be continued: ${status} ${answer.slice(0, 500)}`);
  };
}
