import { expect, test } from "bun:test";
import {
  ADMIN_KEY,
  addUser,
  call,
  DEGRADED,
  READY,
  readiness,
  startOnDatabase,
  withPassword,
} from "../support/database-server.ts";
import type { Executable } from "../support/executable.ts";
import { describeWithOwnPostgres, type OwnPostgres } from "../support/own-postgres.ts";
import { statementsOn } from "../support/postgres.ts";
import { until } from "../support/until.ts";

const CALLERS = 4;
/** The asks during one fault. Fewer than the rows that wait at most, or some would be dropped. */
const ASKS_MAX = 8_000;
/** Longer than the deadlines of all that a stopping server waits for, and shorter than those of lists. */
const STOPS_WITHIN_MS = 20_000;

interface Sent {
  /** The request ids of all asks that were let in. */
  asks: string[];
  /** The turns of all answers. */
  turns: string[];
  /** Follow-ups that were refused as their conversation could not be looked up. */
  refused: number;
}

/** Asks without a pause until the signal, half of the time with a follow-up. Only a follow-up may be refused. */
async function askUntil(stopped: AbortSignal, server: Executable, token: string, sent: Sent): Promise<void> {
  while (!stopped.aborted && sent.asks.length < ASKS_MAX) {
    const opening = await ask(server, token, sent, { content: "first" });
    if (opening.status !== 200) throw new Error(`a known user was refused: ${opening.status}`);
    const { conversation_id, response_id: parent_id } = opening.body;
    const next = await ask(server, token, sent, { content: "second", conversation_id, parent_id });
    if (next.status === 200) continue;
    expect(next).toMatchObject({ status: 503, body: { error: "The database does not answer" } });
    expect(Number(next.headers.get("retry-after"))).toBeGreaterThan(0);
    sent.refused++;
  }
}

async function ask(server: Executable, token: string, sent: Sent, body: object) {
  const answer = await call(server, "/api/ask", token, body);
  if (answer.status === 200) {
    sent.asks.push(answer.headers.get("x-request-id") ?? "");
    sent.turns.push(answer.body["response_id"] ?? "");
  }
  return answer;
}

async function scene(postgres: OwnPostgres) {
  const database = await postgres.newDatabase();
  const server = await startOnDatabase(withPassword(database));
  const known = await addUser(server);
  const sent: Sent = { asks: [], turns: [], refused: 0 };
  const stop = new AbortController();
  const callers = Array.from({ length: CALLERS }, () => askUntil(stop.signal, server, known.token, sent));
  // A failure ends the test, and not the process.
  const load = Promise.all(callers);
  load.catch(() => {});
  await until(() => sent.asks.length > CALLERS);

  return {
    server,
    sent,
    database,
    addUser: () => addUser(server),
    statusOf: async ({ token }: { token: string }) => (await call(server, "/api/usage", token)).status,
    /** Resolves once more asks were answered. Fails when a caller has failed. */
    moreAsks: () => {
      const enough = Math.min(sent.asks.length + CALLERS, ASKS_MAX);
      return Promise.race([load, until(() => sent.asks.length >= enough)]);
    },
    /** Ends the load, and checks that each answered ask is in the database once. */
    async checkRows() {
      stop.abort();
      await load;
      server.kill();
      expect(await server.exited).toEqual({ code: 0, signal: null });
      const query = statementsOn(database);
      const idsOf = async (statement: string) => (await query(statement)).map(({ id }) => String(id)).sort();
      expect(await idsOf("SELECT request_id AS id FROM usage WHERE outcome = 'ok'")).toEqual(
        sent.asks.toSorted(),
      );
      expect(await idsOf("SELECT id FROM turns")).toEqual(sent.turns.toSorted());
    },
  };
}

type FaultScene = Awaited<ReturnType<typeof scene>>;

/** Checks what callers see while the database is away. Everything here ends although it does not come back. */
async function checkAway({ server, sent, statusOf, moreAsks }: FaultScene, unknown: { token: string }) {
  const before = sent.refused;
  await until(async () => (await statusOf(unknown)) === 503);
  await until(async () => (await readiness(server)) === DEGRADED);
  await moreAsks();
  await until(() => sent.refused > before);
  expect((await call(server, "/admin/users/add", ADMIN_KEY, {})).status).toBe(503);
}

async function checkBack({ server, statusOf, moreAsks }: FaultScene, unknown: { token: string }) {
  await until(async () => (await readiness(server)) === READY);
  await until(async () => (await statusOf(unknown)) === 200);
  await moreAsks();
}

describeWithOwnPostgres("a server whose PostgreSQL fails", (postgres) => {
  test("a crash of the database under load loses and doubles no row", async () => {
    const faulty = await scene(postgres);
    const unknown = await faulty.addUser();
    await postgres.stop("immediate");
    await checkAway(faulty, unknown);
    await postgres.start();
    await checkBack(faulty, unknown);
    await faulty.checkRows();
  });

  test("a database that hangs keeps no request open, and no row is lost or doubled", async () => {
    const faulty = await scene(postgres);
    const unknown = await faulty.addUser();
    postgres.suspend();
    await checkAway(faulty, unknown);
    postgres.resume();
    await checkBack(faulty, unknown);
    await faulty.checkRows();
  });

  test("restarts of the database, and ends of its connections, lose and double no row", async () => {
    const faulty = await scene(postgres);
    for (let round = 0; round < 3; round++) {
      await postgres.stop("fast");
      await postgres.start();
      await faulty.moreAsks();
    }
    const query = statementsOn(faulty.database);
    for (let round = 0; round < 20; round++) {
      await query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name LIKE 'chatgpt-api-server%' AND datname = current_database()`);
      await faulty.moreAsks();
    }
    await until(async () => (await readiness(faulty.server)) === READY);
    await faulty.checkRows();
  });

  for (const [title, fault, repair] of [
    ["has crashed", () => postgres.stop("immediate"), postgres.start],
    ["hangs", postgres.suspend, postgres.resume],
  ] as const) {
    test(`SIGTERM ends the server in time while the database ${title}`, async () => {
      const server = await startOnDatabase(withPassword(await postgres.newDatabase()));
      const { token } = await addUser(server);
      const ask = async () => (await call(server, "/api/ask", token, { content: "q" })).status;
      expect(await ask()).toBe(200);
      await fault();
      // Its row cannot be written, and waits.
      expect(await ask()).toBe(200);
      server.kill();
      const late = Bun.sleep(STOPS_WITHIN_MS).then(() => "late");
      const ended = await Promise.race([server.exited, late]);
      await repair();
      expect(ended).toEqual({ code: 0, signal: null });
    });
  }
});
