import { expect, onTestFinished, test } from "bun:test";
import { DatabaseAway } from "../../../src/errors.ts";
import {
  createPool,
  DatabaseTimeout,
  type PoolOptions,
  sqlStateOf,
} from "../../../src/store/postgres/pool.ts";
import { describeWithPostgres, newDatabase, statementsOn } from "../../support/postgres.ts";
import { failureOf } from "../../support/store.ts";
import { startTcpProxy } from "../../support/tcp-proxy.ts";

async function scene({ withinMs = 200, connections = 2, ...more }: Partial<PoolOptions> = {}) {
  const direct = await newDatabase();
  const url = new URL(direct);
  const proxy = await startTcpProxy(Number(url.port));
  url.port = String(proxy.port);
  const pool = createPool({ url: url.href, connections, withinMs, name: "the test", ...more });
  onTestFinished(pool.close);
  return { pool, proxy, query: statementsOn(direct) };
}

describeWithPostgres("a pool of connections to PostgreSQL", () => {
  test("calls to a database that hangs end in time, and the pool works again once it is back", async () => {
    const { pool, proxy } = await scene();
    expect(await pool.read<{ one: number }>("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    proxy.hang();
    for (let call = 0; call < 3; call++)
      expect(await failureOf(() => pool.read("SELECT 1"))).toBeInstanceOf(DatabaseTimeout);
    expect(await failureOf(() => pool.transact((run) => run("SELECT 1")))).toBeInstanceOf(DatabaseTimeout);
    proxy.comeBack();
    // The first call may still wait on one of the connections that hung.
    await pool.read("SELECT 1").catch(() => {});
    expect(await pool.read<{ one: number }>("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test("a database that accepts connections and never answers is given up before the end of a long statement", async () => {
    const { pool, proxy } = await scene({ withinMs: 60_000, connectWithinMs: 1_000 });
    proxy.hang();
    expect(String(await failureOf(() => pool.read("SELECT 1")))).toContain("Connection timeout");
  });

  test("a read ends in time when its connection is given up while it waits", async () => {
    const withinMs = 200;
    const { pool, proxy } = await scene({ withinMs });
    await pool.read("SELECT 1");
    proxy.hang();
    const read = () => failureOf(() => pool.read("SELECT 1"));
    // After these two have waited in vain, the pool gives up the connections.
    const earlier = [read(), read()];
    await Bun.sleep(withinMs / 2);
    const ended = read().then(() => "in time");
    const late = Bun.sleep(1.25 * withinMs).then(() => "late");
    expect(await Promise.race([ended, late])).toBe("in time");
    await Promise.all(earlier);
  });

  test("calls fail while the database is away, and the pool works again once it is back", async () => {
    const { pool, proxy } = await scene({ withinMs: 2_000 });
    await pool.read("SELECT 1");
    proxy.goAway();
    expect(await failureOf(() => pool.read("SELECT 1"))).toBeInstanceOf(DatabaseAway);
    proxy.comeBack();
    // The first call may still wait for an attempt to connect that began before.
    await pool.read("SELECT 1").catch(() => {});
    expect(await pool.read<{ one: number }>("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test("a read is retried when its connection was ended, and a transaction is not half done", async () => {
    const { pool, query } = await scene({ withinMs: 10_000, connections: 1 });
    await query("CREATE TABLE t (n int)");
    const end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'the test'";
    await pool.read("SELECT 1");
    await query(end);
    expect(await pool.read<{ one: number }>("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    const failure = await failureOf(() =>
      pool.transact(async (run) => {
        await run("INSERT INTO t VALUES (1)");
        await query(end);
        await run("INSERT INTO t VALUES (2)");
      }),
    );
    expect(failure).toBeInstanceOf(Error);
    expect(await query("SELECT n FROM t")).toEqual([]);
    await pool.run("INSERT INTO t VALUES (3)");
    expect(await query("SELECT n FROM t")).toEqual([{ n: 3 }]);
  });

  test("a statement that the database refuses does not count as a database that is away", async () => {
    const { pool } = await scene({ withinMs: 10_000 });
    const failure = await failureOf(() => pool.run("SELECT 1 / 0"));
    expect([failure instanceof DatabaseAway, sqlStateOf(failure)]).toEqual([false, "22012"]);
  });

  test("the database itself ends a statement that takes too long", async () => {
    const { pool, query } = await scene({ withinMs: 100 });
    expect(await failureOf(() => pool.run("SELECT pg_sleep(60)"))).toBeInstanceOf(DatabaseAway);
    const running = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'";
    while ((await query(`${running} AND application_name = 'the test'`)).length > 0) await Bun.sleep(5);
  });
});
