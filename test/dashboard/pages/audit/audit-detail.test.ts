import { expect, test } from "bun:test";
import { detailText } from "../../../../src/dashboard/pages/audit/audit-detail.ts";

test("the details of a change are shown on one line", () => {
  expect(detailText({ name: "Ann", max_parallel: 4, expires_at: null, models: ["a", "b"] })).toBe(
    "name: Ann, max_parallel: 4, expires_at: none, models: a b",
  );
  expect(detailText({ name: "gpu box", models: null })).toBe("name: gpu box, models: all");
  expect(detailText({ agent_tags: null, owner: null })).toBe("agent_tags: all, owner: none");
  expect(detailText({ changed: { name: "Ann" } })).toBe('changed: {"name":"Ann"}');
  expect(detailText({ name: "a\u202eb\n" })).toBe("name: a\\u202eb\\u000a");
  expect(detailText(null)).toBe("–");
  expect(detailText({})).toBe("–");
});

test("the change of a setting says what it was and is, and of many entries only those that have changed", () => {
  expect(detailText({ queueMax: { from: 1000, to: 9 }, usageDays: { from: 30, to: 90, reset: true } })).toBe(
    "queueMax: 1000 → 9, usageDays: 30 → 90 (back to the default)",
  );
  const aliases = { from: { fast: "a", slow: "b" }, to: { fast: "c", slow: "b", new: "d" } };
  expect(detailText({ modelAliases: aliases })).toBe("modelAliases (fast: a → c, new: none → d)");
  const fallbacks = { from: { a: ["b", "c"] }, to: {} };
  expect(detailText({ fallbacks })).toBe("fallbacks (a: b c → none)");
  const webhook = { url: "***", format: "auto", secret: null, severity: "warning" };
  expect(detailText({ webhook: { from: webhook, to: webhook } })).toBe("webhook (changed)");
  expect(detailText({ webhook: { from: webhook, to: { ...webhook, secret: "***" } } })).toBe(
    "webhook (secret: none → ***)",
  );
  expect(detailText({ modelAliases: { from: '{"a":"b…', to: {} } })).toBe('modelAliases: {"a":"b… → {}');
});
