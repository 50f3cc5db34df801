import { expect, test } from "bun:test";
import { createPending } from "../../../src/store/sqlite/write-behind.ts";

const createConversations = () => createPending((item: { id: string; usedAt: number }) => item.id);
const conversation = (usedAt: number) => ({ id: "c", usedAt });

test("a conversation used again while it is written stays pending", () => {
  const pending = createConversations();
  pending.put(conversation(1));
  const written = pending.first(10);
  pending.put(conversation(2));
  pending.settle(written);
  expect(pending.first(10)).toEqual([conversation(2)]);
  pending.settle(pending.first(10));
  expect(pending.size).toBe(0);
});

test("a dropped conversation is counted once", () => {
  const pending = createConversations();
  for (let index = 0; index < 10_002; index++) pending.put({ ...conversation(1), id: `c${index}` });
  pending.put({ ...conversation(2), id: "c2" });
  expect([pending.size, pending.takeLost(), pending.takeLost()]).toEqual([10_000, 2, 0]);
});
