import { expect, onTestFinished, test } from "bun:test";
import { SQL } from "bun";
import { ADMIN, userPrincipal } from "../../../src/principal.ts";
import { openPostgres } from "../../../src/store/postgres/open.ts";
import { createPool } from "../../../src/store/postgres/pool.ts";
import { createUsageStore } from "../../../src/store/postgres/usage.ts";
import { afterDelay } from "../../../src/store/write-behind.ts";
import { describeWithPostgres, newDatabase, statementsOn } from "../../support/postgres.ts";
import { startTcpProxy } from "../../support/tcp-proxy.ts";
import { until } from "../../support/until.ts";
import { usageRow } from "../../support/usage-row.ts";

const CONVERSATION = { id: "c", owner: ADMIN, agent: "x", kept: true, model: "m" };

async function scene() {
  const direct = await newDatabase();
  const url = new URL(direct);
  const proxy = await startTcpProxy(Number(url.port));
  url.port = String(proxy.port);
  const errors: Error[] = [];
  const onError = (error: Error) => void errors.push(error);
  const { store } = await openPostgres({ url: url.href, onError, isShared: true });
  onTestFinished(() => store.close());
  return { store, proxy, proxied: url.href, errors, direct, query: statementsOn(direct) };
}

describeWithPostgres("rows in PostgreSQL", () => {
  test("texts that the type text refuses are kept in turns, and replaced in names", async () => {
    const { store, query } = await scene();
    const turn = { id: "t", parent: undefined, question: "a\0b \u{1f600}", answer: "\0" };
    store.conversations.remember({ ...CONVERSATION, agent: "x\0y", model: "\ud800" }, turn);
    store.usage.record(usageRow({ model: "a\0b", agent: "\udfff" }));
    await store.audit.add({
      ...{ at: 1, actor: "admin", action: "a", target: "\0", address: null, requestId: null },
      detail: { name: "a\0b", models: ["\0"] },
    });
    expect(await store.conversations.branch("c", undefined)).toEqual([turn]);
    expect(await store.conversations.find("c")).toMatchObject({ agent: "x\ufffdy", model: "\ufffd" });
    await store.usage.purge(0);
    expect(await query("SELECT model, agent FROM usage")).toEqual([{ model: "a\ufffdb", agent: "\ufffd" }]);
    expect(await store.audit.list({ limit: 1 })).toMatchObject([
      { target: "\ufffd", detail: { name: "a\ufffdb", models: ["\ufffd"] } },
    ]);
  });

  test("a usage row with numbers that no column takes does not keep others from being written", async () => {
    const { store, query } = await scene();
    store.usage.record(usageRow({ inputTokens: 1.5, outputTokens: 2 ** 60, durationMs: Number.NaN }));
    store.usage.record(usageRow());
    await store.usage.purge(0);
    expect(await query("SELECT prompt_tokens, completion_tokens FROM usage ORDER BY id")).toEqual([
      { prompt_tokens: null, completion_tokens: null },
      { prompt_tokens: "10", completion_tokens: "20" },
    ]);
  });

  test("rows whose commit is in doubt are written again, and no row is lost or doubled", async () => {
    const { store, proxy, errors, query } = await scene();
    // The database gets the rows, and the store does not get its answer.
    const write = (nth: number) => {
      const turn = { id: `t${nth}`, parent: nth > 0 ? `t${nth - 1}` : undefined, question: "q", answer: "a" };
      store.usage.record(usageRow({ requestId: `req_${nth}` }));
      store.conversations.remember(CONVERSATION, turn);
    };
    const isThere = async (nth: number) => (await query(`SELECT FROM turns WHERE id = 't${nth}'`)).length > 0;
    for (let nth = 0; nth < 4; nth++) {
      write(nth);
      await until(() => isThere(nth));
      proxy.mute();
      const before = errors.length;
      write(nth + 10);
      // On a new connection the statement must be prepared first, which needs an answer.
      await until(async () => (await isThere(nth + 10)) || errors.length > before);
      proxy.goAway();
      await until(() => errors.length > before);
      proxy.comeBack();
    }
    for (const { purge } of [store.usage, store.conversations])
      await until(() =>
        purge(0).then(
          () => true,
          () => false,
        ),
      );
    expect(await query("SELECT FROM usage")).toHaveLength(8);
    expect(await query("SELECT FROM turns")).toHaveLength(8);
    const [row] = await query("SELECT length FROM conversations");
    expect(row).toEqual({ length: String(1024 + 8 * 2) });
  });

  test("a usage row that the database has is not written twice, though its answer got lost", async () => {
    const { store, proxy, proxied, query } = await scene();
    await store.close();
    const errors: Error[] = [];
    // Of several connections another one might be used, where the statement must be prepared first.
    const pool = createPool({ url: proxied, connections: 1, withinMs: 2_000, name: "test" });
    const onError = (error: Error) => void errors.push(error);
    const usage = createUsageStore({ hot: pool, cold: pool }, { after: afterDelay, onError });
    onTestFinished(() => pool.close());
    const areThere = async (rows: number) => (await query("SELECT FROM usage")).length >= rows;
    usage.record(usageRow({ requestId: "req_1" }));
    await until(() => areThere(1));
    proxy.mute();
    usage.record(usageRow({ requestId: "req_2" }));
    await until(() => areThere(2));
    proxy.goAway();
    await until(() => errors.length > 0);
    proxy.comeBack();
    usage.record(usageRow({ requestId: "req_3" }));
    await usage.end();
    expect(await query("SELECT request_id FROM usage ORDER BY 1")).toEqual([
      { request_id: "req_1" },
      { request_id: "req_2" },
      { request_id: "req_3" },
    ]);
  });

  test("another server sees a conversation as soon as it is shared, and an owner's change at once", async () => {
    const { store, direct } = await scene();
    const { store: other } = await openPostgres({ url: direct });
    onTestFinished(() => other.close());
    await store.users.add([{ id: "ann", tokenHash: "h", sealedToken: Buffer.of(1) }]);
    for (let nth = 0; nth < 20; nth++) {
      const id = `c${nth}`;
      store.conversations.remember({ ...CONVERSATION, id, owner: userPrincipal("ann") });
      await store.conversations.shared?.();
      expect(await other.conversations.find(id)).toMatchObject({ id, owner: userPrincipal("ann") });
    }
    await store.users.change("ann", { disabledAt: 5 });
    expect(await other.users.findByTokenHash("h")).toMatchObject({ disabledAt: 5 });
  });

  test("while one server purges, another one purges nothing", async () => {
    const { store, query } = await scene();
    store.usage.record(usageRow());
    await query("BEGIN");
    await query(`SELECT pg_advisory_xact_lock(${0x43684154})`);
    expect(await store.usage.purge(Number.MAX_SAFE_INTEGER)).toBe(0);
    await query("COMMIT");
    expect(await store.usage.purge(Number.MAX_SAFE_INTEGER)).toBe(1);
  });

  test("rows that wait are reported when the store closes while the database is away", async () => {
    const { store, proxy, errors } = await scene();
    proxy.goAway();
    store.usage.record(usageRow());
    await store.close();
    expect(errors.map(String).join()).toContain("1 usage rows could not be written");
  });

  test.each([
    ["short", 1_000, "chatgpt-api-server"],
    ["long", 5_000_000, "chatgpt-api-server lists"],
  ])("%s conversations are written on the connections with the right time limit", async (_, length, name) => {
    const { store, direct, query } = await scene();
    await using blocker = new SQL(direct, { max: 1 });
    const waiting = () =>
      query(`SELECT application_name AS name FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`);
    const turn = { id: "t", parent: undefined, question: "", answer: "x".repeat(length) };
    let names: unknown[] = [];
    await blocker.begin(async (transaction) => {
      await transaction.unsafe("LOCK TABLE conversations IN ACCESS EXCLUSIVE MODE");
      store.conversations.remember(CONVERSATION, turn);
      await until(async () => {
        names = await waiting();
        return names.length > 0;
      });
    });
    expect(names).toEqual([{ name }]);
    expect(await store.conversations.branch("c", undefined)).toEqual([turn]);
  });
});
