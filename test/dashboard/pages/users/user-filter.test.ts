import { expect, test } from "bun:test";
import { selectUsers, stateOf, type UserFilter } from "../../../../src/dashboard/pages/users/user-filter.ts";

import { userOf } from "../../../support/dashboard-users.ts";

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
  const found = selectUsers(USERS, whole, { requestsOf: (id) => asks[id] ?? 0, now: NOW });
  return found.map(({ user_id }) => user_id).join(" ");
}

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
  [{ order: "requests" }, "d4 b2 a1 c3"],
  [{ order: "expiry" }, "c3 b2 d4 a1"],
])("the filter %j selects the users %p in this order", (filter, ids) => {
  expect(idsOf(filter)).toBe(ids);
});

test("filtering does not modify the list", () => {
  const before = [...USERS];
  idsOf({ order: "newest" });
  idsOf({ order: "name" });
  expect(USERS).toEqual(before);
});

test("a disabled user is disabled even after expiring, and a user expires at the exact time", () => {
  expect(USERS.map((user) => stateOf(user, NOW))).toEqual(["active", "expired", "disabled", "active"]);
  expect(stateOf(userOf({ expires_at: "2026-11-23T12:00:00.001Z" }), NOW)).toBe("active");
});
