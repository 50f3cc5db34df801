import { describe, expect, test } from "bun:test";
import { DAY_MS, HOUR_MS } from "../../../src/durations.ts";
import { ADMIN, userPrincipal } from "../../../src/principal.ts";
import type { RefusalStore } from "../../../src/store/store.ts";
import { createFakeClock } from "../../support/clock.ts";
import { usageRow } from "../../support/usage-row.ts";
import { type BackEnd, countIn } from "./back-end.ts";

const EVER = { from: 0, to: Number.MAX_SAFE_INTEGER };
const [ANN, BOB] = [userPrincipal("ann"), userPrincipal("bob")];
const NOON = Date.UTC(2026, 10, 23, 12);

async function createScene(backEnd: BackEnd) {
  const data = await backEnd.create();
  const { now, after } = createFakeClock();
  return { data, open: () => data.open({ now, after }), ...(await data.open({ now, after })) };
}

/** Returns the sums as texts, sorted. */
async function sumsOf(refusals: RefusalStore, query: Partial<Parameters<RefusalStore["sum"]>[0]>) {
  const sums = await refusals.sum({ ...EVER, by: [], ...query });
  return sums
    .map(({ group, reason, count }) => `${JSON.stringify(Object.values(group))} ${reason} ${count}`)
    .sort();
}

/** Defines the tests of refused requests, and of the names of who is in the usage. */
export function testRefusals(backEnd: BackEnd): void {
  describe("refusals", () => {
    test("refusals are added up by reason, principal and day", async () => {
      const { refusals } = await createScene(backEnd);
      for (let times = 0; times < 3; times++) refusals.record(ANN, "limit_requests", NOON + times);
      refusals.record(ANN, "limit_requests", NOON - DAY_MS);
      refusals.record(ANN, "model_not_allowed", NOON);
      refusals.record(BOB, "draining", NOON);
      refusals.record(ADMIN, "draining", NOON);
      expect(await sumsOf(refusals, {})).toEqual([
        "[] draining 2",
        "[] limit_requests 4",
        "[] model_not_allowed 1",
      ]);
      expect(await sumsOf(refusals, { by: ["user"], principal: ANN })).toEqual([
        '["ann"] limit_requests 4',
        '["ann"] model_not_allowed 1',
      ]);
      expect(await sumsOf(refusals, { by: ["user", "day"], principal: ADMIN })).toEqual([
        '[null,"2026-11-23"] draining 1',
      ]);
      expect(await sumsOf(refusals, { by: ["agent", "day"], from: NOON - DAY_MS, to: NOON })).toEqual([
        '[null,"2026-11-22"] limit_requests 1',
      ]);
    });

    test("the refusals of a million requests are one row an hour", async () => {
      const { refusals, data } = await createScene(backEnd);
      for (let times = 0; times < 1_000; times++) refusals.record(ANN, "limit_requests", NOON + times);
      expect(await sumsOf(refusals, {})).toEqual(["[] limit_requests 1000"]);
      for (let times = 0; times < 1_000; times++) refusals.record(ANN, "limit_requests", NOON + HOUR_MS);
      expect(await sumsOf(refusals, {})).toEqual(["[] limit_requests 2000"]);
      expect(await countIn(data, "refusals")).toBe(2);
    });

    test("several processes add to the same hour, and one that starts anew goes on", async () => {
      const { refusals, open } = await createScene(backEnd);
      refusals.record(ANN, "limit_requests", NOON);
      const other = await open();
      other.refusals.record(ANN, "limit_requests", NOON);
      await other.close();
      expect(await sumsOf(refusals, {})).toEqual(["[] limit_requests 2"]);
    });

    test("a user whose id is `admin` is told apart from the administrator", async () => {
      const { refusals } = await createScene(backEnd);
      refusals.record(userPrincipal("admin"), "draining", NOON);
      expect(await sumsOf(refusals, { by: ["user"] })).toEqual(['["admin"] draining 1']);
      expect(await sumsOf(refusals, { principal: ADMIN })).toEqual([]);
    });

    test("old refusals are deleted, and those of the hour stay", async () => {
      const { refusals } = await createScene(backEnd);
      refusals.record(ANN, "draining", NOON - HOUR_MS);
      refusals.record(ANN, "draining", NOON);
      expect(await refusals.purge(NOON)).toBe(1);
      expect(await sumsOf(refusals, {})).toEqual(["[] draining 1"]);
    });
  });

  describe("names in the usage", () => {
    test("the last name of an agent is kept, also when it is gone", async () => {
      const { usage, open } = await createScene(backEnd);
      usage.record(usageRow({ agent: "a1", agentName: "old box", at: NOON }));
      usage.record(usageRow({ agent: "a1", agentName: "gpu box", at: NOON + 1 }));
      usage.record(usageRow({ agent: "a2", agentName: undefined, at: NOON }));
      expect(await usage.names("agent", ["a1", "a2", "a3"])).toEqual(new Map([["a1", "gpu box"]]));
      await usage.purge(NOON);
      const other = await open();
      expect(await other.usage.names("agent", ["a1"])).toEqual(new Map([["a1", "gpu box"]]));
    });

    test("a user is known by their name of today, and by their last one when they were deleted", async () => {
      const { usage, users } = await createScene(backEnd);
      const newUser = (id: string, name: string) => ({
        ...{ id, name, tokenHash: `hash of ${id}`, sealedToken: new Uint8Array([1]) },
      });
      await users.add([newUser("u1", "Ann"), newUser("u2", "Bob")]);
      await users.change("u2", { name: "Robert" });
      await users.delete("u1");
      expect(await usage.names("user", ["u1", "u2", "u3"])).toEqual(
        new Map([
          ["u1", "Ann"],
          ["u2", "Robert"],
        ]),
      );
    });

    test("names are deleted with the usage that they are for", async () => {
      const { usage } = await createScene(backEnd);
      usage.record(usageRow({ agent: "a1", agentName: "gpu box", at: NOON }));
      usage.record(usageRow({ agent: "a2", agentName: "laptop", at: NOON + DAY_MS }));
      await usage.purge(NOON + DAY_MS);
      expect([...(await usage.names("agent", ["a1", "a2"])).keys()]).toEqual(["a2"]);
    });
  });
}
