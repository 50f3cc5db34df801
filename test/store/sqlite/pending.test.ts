import { expect, test } from "bun:test";
import { userPrincipal } from "../../../src/principal.ts";
import { createPending } from "../../../src/store/sqlite/pending.ts";

const conversation = (usedAt: number) => ({
  id: "c",
  owner: userPrincipal("ann"),
  agent: "x",
  kept: false,
  model: undefined,
  turns: [],
  usedAt,
});

test("a conversation used again while it is written stays pending", () => {
  const pending = createPending();
  pending.put(conversation(1));
  const written = pending.first(10);
  pending.put(conversation(2));
  pending.settle(written);
  expect(pending.first(10)).toEqual([conversation(2)]);
  pending.settle(pending.first(10));
  expect(pending.size).toBe(0);
});

test("a dropped conversation is counted once", () => {
  const pending = createPending();
  for (let index = 0; index < 10_002; index++) pending.put({ ...conversation(1), id: `c${index}` });
  pending.put({ ...conversation(2), id: "c2" });
  expect([pending.size, pending.takeLost(), pending.takeLost()]).toEqual([10_000, 2, 0]);
});
