import { describe, expect, test } from "bun:test";
import { attributesOf, describeUser, fieldsOf } from "../../src/auth/user-fields.ts";

const FIELDS = {
  name: "Ann",
  expires_at: "2026-11-23T03:49:42.000Z",
  models: ["llama", "qwen"],
  requests_per_minute: 1,
  tokens_per_day: 2,
  max_parallel: 3,
};
const NULLS = Object.fromEntries(Object.keys(FIELDS).map((name) => [name, null]));

describe("the fields of a user", () => {
  test("become what is stored, and come back the same", () => {
    for (const fields of [FIELDS, NULLS, {}, { max_parallel: null }]) {
      expect(fieldsOf(attributesOf(fields))).toEqual(fields);
      expect(Object.keys(attributesOf(fields))).toHaveLength(Object.keys(fields).length);
    }
  });

  test("are times in any zone, and models each once", () => {
    const attributes = attributesOf({ expires_at: "2026-11-23T09:19:42+05:30", models: ["a", "b", "a"] });
    expect(attributes).toEqual({ expiresAt: Date.parse(FIELDS.expires_at), models: ["a", "b"] });
  });

  test("are shown without the token", () => {
    const user = { id: "ann", token: "secret", createdAt: 0, disabledAt: 1_000, ...attributesOf(FIELDS) };
    const shown = describeUser(user as Parameters<typeof describeUser>[0]);
    expect(shown).toEqual({
      user_id: "ann",
      created_at: "1970-01-01T00:00:00.000Z",
      disabled_at: "1970-01-01T00:00:01.000Z",
      ...FIELDS,
    });
  });
});
