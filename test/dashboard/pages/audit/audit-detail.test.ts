import { expect, test } from "bun:test";
import { detailText } from "../../../../src/dashboard/pages/audit/audit-detail.ts";

test("the details of a change are shown on one line", () => {
  expect(detailText({ name: "Ann", max_parallel: 4, expires_at: null, models: ["a", "b"] })).toBe(
    "name: Ann, max_parallel: 4, expires_at: none, models: a b",
  );
  expect(detailText({ name: "gpu box", models: null })).toBe("name: gpu box, models: all");
  expect(detailText({ agent_tags: null, owner: null })).toBe("agent_tags: all, owner: none");
  expect(detailText({ changed: { name: "Ann" } })).toBe('changed: {"name":"Ann"}');
  expect(detailText(null)).toBe("–");
  expect(detailText({})).toBe("–");
});
