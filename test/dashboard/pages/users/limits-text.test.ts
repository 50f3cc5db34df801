import { expect, test } from "bun:test";
import { limitsText } from "../../../../src/dashboard/pages/users/limits-text.ts";
import { userOf } from "../../../support/dashboard-users.ts";

test("limits are shown only if there are any", () => {
  expect(limitsText(userOf({}), null)).toBe("none");
  expect(limitsText(userOf({ requests_per_minute: 7, tokens_per_day: 500_000, max_parallel: 1 }), null)).toBe(
    "7 requests/min, 500K tokens/day, 1 concurrent",
  );
  expect(limitsText(userOf({ priority: "normal" }), null)).toBe("none");
  expect(limitsText(userOf({ max_parallel: 1, priority: "low", agent_tags: ["home", "gpu"] }), null)).toBe(
    "1 concurrent, low priority, agents with home or gpu",
  );
});

test("a budget is shown in the server's currency, or as a plain number if the server has none", () => {
  const user = userOf({ budget_day: 0.5, budget_month: 1_200 });
  expect(limitsText(user, "EUR")).toBe("€0.50 a day, €1,200.00 a month");
  expect(limitsText(user, null)).toBe("0.5 a day, 1200 a month");
});
