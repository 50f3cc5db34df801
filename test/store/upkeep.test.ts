import { expect, test } from "bun:test";
import { DAY_MS } from "../../src/durations.ts";
import { ADMIN } from "../../src/principal.ts";
import { startUpkeep } from "../../src/store/upkeep.ts";
import { filledStore, NOW } from "./sqlite/filled-store.ts";

test("the upkeep purges each kind of row after its own days, conversations before the server starts", async () => {
  const { store } = await filledStore(300);
  const conversation = { owner: ADMIN, agent: "a", kept: false, model: undefined };
  store.conversations.remember({ ...conversation, id: "now" });
  const note = { actor: "cli" as const, action: "a", detail: null, address: null, requestId: null };
  await store.audit.add({ ...note, target: "old", at: NOW - 21 * DAY_MS });
  await store.audit.add({ ...note, target: "young", at: NOW - 19 * DAY_MS });
  const purged: [string, number][] = [];
  const all = Promise.withResolvers<void>();
  const stop = await startUpkeep({
    store,
    days: () => ({ conversations: 30, responses: 30, usage: 10, traffic: 0, audit: 20 }),
    now: () => NOW + 30 * DAY_MS - 1,
    purged: (what, count) => {
      purged.push([what, count]);
      if (what === "audit") all.resolve();
    },
    compacted: () => {},
    failed: all.reject,
  });
  expect(purged).toEqual([]);
  await all.promise;
  expect(purged).toEqual([
    ["usage", 300],
    ["audit", 2],
  ]);
  expect(await store.conversations.find("now")).toBeDefined();
  stop();
  const later = await startUpkeep({
    store,
    days: () => ({ conversations: 30, responses: 30, usage: 10, traffic: 0, audit: 20 }),
    now: () => NOW + 30 * DAY_MS + 1,
    purged: (what, count) => purged.push([what, count]),
    compacted: () => {},
    failed: () => {},
  });
  expect(purged.at(-1)).toEqual(["conversations", 1]);
  later();
});

test("days that change while the server runs count for the next purge", async () => {
  const { store } = await filledStore(10);
  const note = { actor: "cli" as const, action: "a", detail: null, address: null, requestId: null };
  await store.audit.add({ ...note, target: "old", at: NOW });
  const purged: [string, number][] = [];
  const rounds: (() => void)[] = [];
  let ended = Promise.withResolvers<void>();
  let audit = 20;
  const compact = async () => {
    ended.resolve();
    return 0;
  };
  const stop = await startUpkeep({
    store: { ...store, compact },
    days: () => ({ conversations: 30, responses: 30, usage: 30, traffic: 0, audit }),
    now: () => NOW + 19 * DAY_MS,
    every: (_ms, run) => {
      rounds.push(run);
      return () => {};
    },
    purged: (what, count) => purged.push([what, count]),
    compacted: () => {},
    failed: ended.reject,
  });
  await ended.promise;
  expect(purged).toEqual([]);
  audit = 18;
  ended = Promise.withResolvers();
  for (const run of rounds) run();
  await ended.promise;
  expect(purged).toEqual([["audit", 1]]);
  stop();
});
