import { expect, test } from "bun:test";
import { Conversations } from "../../../src/http/responses/conversations.ts";

const bounds = { bytesMax: 1_000_000, lengthMax: 100_000 };

test("an item of an unknown type gets an ID that says item, whatever the type is called", () => {
  const conversations = new Conversations({ ...bounds, store: undefined, newId: () => "1-2", now: () => 0 });
  const given = ["message", "reasoning", "constructor", "__proto__", "other"].map((type) => ({ type }));
  const ids = conversations.named(given).map(({ id }) => id);
  expect(ids).toEqual(["msg_12", "rs_12", "item_12", "item_12", "item_12"]);
});
