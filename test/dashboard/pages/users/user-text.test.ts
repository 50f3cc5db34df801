import { expect, test } from "bun:test";
import { labelOf } from "../../../../src/dashboard/pages/users/user-text.ts";

test("a user without a name is shown by the id", () => {
  expect(labelOf({ name: null, user_id: "0123456789" })).toBe("01234567 …");
  expect(labelOf({ name: "Ann", user_id: "0123456789" })).toBe("Ann");
});
