import { expect, test } from "bun:test";
import { z } from "zod";
import { fieldHint } from "../../../src/http/errors/field-hint.ts";

const Shape = z.strictObject({
  model: z.string().min(1),
  size: z.enum(["s", "m"]).optional(),
  day: z.iso.date().optional(),
  limit: z
    .int()
    .refine((limit) => limit < 9, "give a number below 9")
    .optional(),
  input: z.union([z.string(), z.array(z.string())]).optional(),
});

test.each<[unknown, string]>([
  [{}, "`model` is missing: expected a text."],
  [{ model: 5 }, "`model` is not valid: expected a text, not a number."],
  [{ model: "" }, "`model` is not valid: expected at least 1 character."],
  [{ model: "m", size: "x" }, '`size` is not valid: expected one of "s", "m".'],
  [{ model: "m", day: "x" }, "`day` is not valid: expected a date such as 2026-12-31."],
  [{ model: "m", limit: 9 }, "`limit` is not valid: give a number below 9."],
  [{ model: "m", input: 5 }, "`input` is not valid."],
  [{ model: "m", x: 1 }, 'The body is not valid: unknown key "x".'],
  [[], "The body is not valid: expected an object, not a list."],
])("the hint for %j is a sentence: %s", (value, hint) => {
  const [issue] = Shape.safeParse(value).error?.issues ?? [];
  expect(fieldHint(issue?.path.join(".") ?? "", issue?.message)).toBe(hint);
});
