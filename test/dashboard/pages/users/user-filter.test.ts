import { describe, expect, test } from "bun:test";
import type { User } from "../../../../src/dashboard/api/types.ts";
import {
  labelOf,
  limitsText,
  selectUsers,
  stateOf,
  type UserFilter,
} from "../../../../src/dashboard/pages/users/user-filter.ts";
import { changesOf, EMPTY_FORM, formValuesOf } from "../../../../src/dashboard/pages/users/user-form.ts";

const userOf = (fields: Partial<User>): User => ({
  user_id: "u0",
  created_at: "2026-11-23T08:00:00.000Z",
  disabled_at: null,
  name: null,
  expires_at: null,
  models: null,
  requests_per_minute: null,
  tokens_per_day: null,
  max_parallel: null,
  ...fields,
});

const NOW = Date.parse("2026-11-23T12:00:00Z");
const USERS = [
  userOf({ user_id: "a1", name: "user 10", models: ["llama3.3"] }),
  userOf({ user_id: "b2", name: "User 9", expires_at: "2026-11-23T12:00:00.000Z" }),
  userOf({ user_id: "c3", disabled_at: "2026-11-22T00:00:00.000Z", expires_at: "2026-01-01T00:00:00.000Z" }),
  userOf({ user_id: "d4", name: "Zoë", expires_at: "2027-01-01T00:00:00.000Z" }),
];

function idsOf(filter: Partial<UserFilter>): string {
  const asks: Record<string, number> = { b2: 3, d4: 7 };
  const whole: UserFilter = { search: "", state: "all", order: "oldest", ...filter };
  const found = selectUsers(USERS, whole, { asksOf: (id) => asks[id] ?? 0, now: NOW });
  return found.map(({ user_id }) => user_id).join(" ");
}

describe("the list of users", () => {
  test.each<[Partial<UserFilter>, string]>([
    [{}, "a1 b2 c3 d4"],
    [{ search: "  USER  1" }, "a1"],
    [{ search: "zoë" }, "d4"],
    [{ search: "llama" }, "a1"],
    [{ search: "c3" }, "c3"],
    [{ search: "3" }, "a1"],
    [{ search: "user llama" }, "a1"],
    [{ search: "nobody" }, ""],
    [{ state: "active" }, "a1 d4"],
    [{ state: "disabled" }, "c3"],
    [{ state: "expired" }, "b2"],
    [{ order: "newest" }, "d4 c3 b2 a1"],
    [{ order: "name" }, "b2 a1 d4 c3"],
    [{ order: "asks" }, "d4 b2 a1 c3"],
    [{ order: "expiry" }, "c3 b2 d4 a1"],
  ])("with %p is %p", (filter, ids) => {
    expect(idsOf(filter)).toBe(ids);
  });

  test("is not changed by being looked through", () => {
    const before = [...USERS];
    idsOf({ order: "newest" });
    idsOf({ order: "name" });
    expect(USERS).toEqual(before);
  });

  test("names a user by the id where there is no name, and the limits where there are some", () => {
    expect(labelOf({ name: null, user_id: "0123456789" })).toBe("01234567 …");
    expect(labelOf({ name: "Ann", user_id: "0123456789" })).toBe("Ann");
    expect(limitsText(userOf({}))).toBe("none");
    expect(limitsText(userOf({ requests_per_minute: 7, tokens_per_day: 500_000, max_parallel: 1 }))).toBe(
      "7 a minute, 500K tokens a day, 1 at once",
    );
  });

  test("calls a user that is disabled so, expired or not, and expired from the very moment", () => {
    expect(USERS.map((user) => stateOf(user, NOW))).toEqual(["active", "expired", "disabled", "active"]);
    expect(stateOf(userOf({ expires_at: "2026-11-23T12:00:00.001Z" }), NOW)).toBe("active");
  });
});

describe("the form of a user", () => {
  test("says nothing of fields that are empty, as they are missing", () => {
    expect(changesOf(EMPTY_FORM, EMPTY_FORM)).toEqual({});
    expect(changesOf(EMPTY_FORM, {})).toEqual({});
  });

  test("gives the fields as the API takes them", () => {
    const fields = {
      name: "Ann",
      models: " a, b ,,a\n c",
      requests_per_minute: "60",
      tokens_per_day: "1000000",
      max_parallel: "4",
      expires_at: "2027-03-01T12:30",
    };
    expect(changesOf(EMPTY_FORM, fields)).toEqual({
      name: "Ann",
      models: ["a", "b", "c"],
      requests_per_minute: 60,
      tokens_per_day: 1_000_000,
      max_parallel: 4,
      expires_at: new Date("2027-03-01T12:30").toISOString(),
    });
  });

  test("changes what was changed only, and takes away what was emptied", () => {
    const user = userOf({
      name: "Ann",
      models: ["a", "b"],
      requests_per_minute: 60,
      expires_at: "2027-03-01T12:30:59.000Z",
    });
    const texts = formValuesOf(user);
    expect(changesOf(texts, texts)).toEqual({});
    expect(changesOf(texts, { ...texts, requests_per_minute: "", max_parallel: "2" })).toEqual({
      requests_per_minute: null,
      max_parallel: 2,
    });
    expect(changesOf(texts, { ...texts, models: " , ", expires_at: "" })).toEqual({
      models: null,
      expires_at: null,
    });
  });

  test.each(["0", "-1", "1.5", "many", "1e400"])("refuses a limit of %s", (tokens_per_day) => {
    expect(() => changesOf(EMPTY_FORM, { tokens_per_day })).toThrow(
      "Tokens a day must be a whole number above 0.",
    );
  });

  test("refuses an expiry that is no time", () => {
    expect(() => changesOf(EMPTY_FORM, { expires_at: "tomorrow" })).toThrow("no date");
  });
});
