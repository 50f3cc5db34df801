import { expect, onTestFinished, test } from "bun:test";
import { ADMIN } from "../../../src/principal.ts";
import { createConversationStore } from "../../../src/store/postgres/conversations.ts";
import { migrate } from "../../../src/store/postgres/migrations.ts";
import { createPools } from "../../../src/store/postgres/pools.ts";
import { describeWithPostgres, newDatabase } from "../../support/postgres.ts";

describeWithPostgres("conversations in PostgreSQL", () => {
  test("a conversation that is written while the database is asked for it is found", async () => {
    const pools = createPools(await newDatabase());
    onTestFinished(async () => {
      await Promise.all([pools.hot.close(), pools.cold.close()]);
    });
    await migrate(pools.cold);
    /** Runs between the rows that the database has found, and their arrival. */
    let meanwhile = async () => {};
    const read: typeof pools.hot.read = async (statement, values) => {
      const rows = await pools.hot.read<never>(statement, values);
      await meanwhile();
      return rows;
    };
    const conversations = createConversationStore(
      { ...pools, hot: { ...pools.hot, read } },
      { after: () => () => {}, onError: () => {}, now: Date.now, isShared: false },
    );
    const conversation = { id: "c", owner: ADMIN, agent: "x", kept: true, model: "m" };
    conversations.remember(conversation);
    // It writes what is pending, and nothing is that old.
    meanwhile = async () => void (await conversations.purge(0));
    expect(await conversations.find("c")).toEqual(conversation);
    meanwhile = async () => {};
    expect(await conversations.find("c")).toEqual(conversation);
  });
});
