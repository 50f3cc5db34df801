import { expect, test } from "bun:test";
import { listQuery, readView } from "../../../../src/dashboard/pages/requests/request-filter.ts";

const NOW = Date.parse("2026-03-01T12:00:00.000Z");

test("the list begins with the period that the address names", () => {
  const view = readView(new URLSearchParams("period=6h&model=a"));
  expect(view.period).toBe("6h");
  expect(listQuery(view, NOW)).toEqual({ model: "a", from: "2026-03-01T06:00:00.000Z" });
});

test.each(["constructor", "__proto__", "2h", ""])(
  "an address with the period %p, which does not exist, has none",
  (name) => {
    const view = readView(new URLSearchParams({ period: name, from: "2026-02-01" }));
    expect(view.period).toBeUndefined();
    expect(listQuery(view, NOW)["from"]).toBe("2026-02-01");
  },
);
