import { expect, test } from "bun:test";
import { z } from "zod";
import { plainMessage } from "../../src/json/schema-message.ts";

test.each([
  [z.string().min(1), "", "expected at least 1 character"],
  [z.string().max(2), "abc", "expected at most 2 characters"],
  [z.array(z.string()).min(1), [], "expected at least 1 item"],
  [z.array(z.string()).max(1), ["a", "b"], "expected at most 1 item"],
  [z.number().min(3), 1, "expected at least 3"],
  [z.number().max(3), 4, "expected at most 3"],
  [z.int(), 1.5, "expected a whole number"],
  [z.strictObject({}), { a: 1 }, 'unknown key "a"'],
  [z.discriminatedUnion("type", [z.object({ type: z.literal("a") })]), {}, "expected string"],
  [z.string("give a text"), 1, "give a text"],
])("the message of a schema says plainly what is wrong (case %#)", (schema, value, message) => {
  const [issue] = schema.safeParse(value).error?.issues ?? [];
  expect(plainMessage(issue?.message ?? "")).toBe(message);
});
