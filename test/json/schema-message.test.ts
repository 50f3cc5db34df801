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
  [z.discriminatedUnion("type", [z.object({ type: z.literal("a") })]), {}, "expected a text"],
  [z.string("give a text"), 1, "give a text"],
  [z.number().gt(3), 3, "expected more than 3"],
  [z.number().lt(-1.5), 0, "expected less than -1.5"],
  [z.number().multipleOf(5), 3, "expected a multiple of 5"],
  [z.string(), undefined, "expected a text, but it is missing"],
  [z.boolean(), null, "expected true or false, not null"],
  [z.array(z.string()), {}, "expected a list, not an object"],
  [z.record(z.string(), z.string()), [], "expected an object, not a list"],
  [z.number(), Number.NaN, "expected a number, not something that is not a number"],
  [z.int(), "1", "expected a number, not a text"],
  [z.enum(["a|b", "c"]), "d", 'expected one of "a|b", "c"'],
  [z.literal("a"), "b", 'expected "a"'],
  [z.iso.datetime(), "x", "expected a time such as 2026-12-31T18:00:00Z"],
  [z.uuid(), "x", "expected a UUID"],
  [z.url(), "x", "expected a URL"],
  [z.string().regex(/^secret-form$/), "x", "its form is not allowed"],
  [z.record(z.string().max(1), z.string()), { ab: "" }, "one of its keys or values is not valid"],
])("the message of a schema says plainly what is wrong (case %#)", (schema, value, message) => {
  const [issue] = schema.safeParse(value).error?.issues ?? [];
  expect(plainMessage(issue?.message ?? "")).toBe(message);
});
