import { describe, expect, test } from "bun:test";
import { attributesOf, fieldsOf } from "../src/user-attributes.ts";

const FIELDS = {
  name: "Ann",
  expires_at: "2026-11-23T03:49:42.000Z",
  models: ["llama", "qwen"],
  requests_per_minute: 1,
  tokens_per_day: 2,
  max_parallel: 3,
  budget_day: 0.000001,
  budget_month: 999_999_999.999999,
  priority: "low",
  agent_tags: ["home", "gpu"],
} as const;
const NULLS = Object.fromEntries(Object.keys(FIELDS).map((name) => [name, null]));

describe("the attributes of a user", () => {
  test("the fields of a user become attributes, and come back unchanged", () => {
    for (const fields of [FIELDS, NULLS, {}, { max_parallel: null }]) {
      expect(fieldsOf(attributesOf(fields))).toEqual(fields);
      expect(Object.keys(attributesOf(fields))).toHaveLength(Object.keys(fields).length);
    }
  });

  test("a budget is kept in millionths of the currency's unit", () => {
    expect(attributesOf({ budget_day: 4.35, budget_month: 1_000_000_000 })).toEqual({
      budgetDayMicros: 4_350_000,
      budgetMonthMicros: 1_000_000_000_000_000,
    });
  });

  test("a time may be in any zone, and each model is kept once", () => {
    const attributes = attributesOf({ expires_at: "2026-11-23T09:19:42+05:30", models: ["a", "b", "a"] });
    expect(attributes).toEqual({ expiresAt: Date.parse(FIELDS.expires_at), models: ["a", "b"] });
  });
});
