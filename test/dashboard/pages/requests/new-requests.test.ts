import { expect, test } from "bun:test";
import { countNew } from "../../../../src/dashboard/pages/requests/new-requests.ts";
import type { ShownPage, ShownRequest } from "../../../../src/dashboard/pages/requests/request-source.ts";

const pageOf = (ids: readonly string[], next: string | null = null): ShownPage => ({
  requests: ids.map((id) => ({ request_id: id, at: "2026-11-23T12:00:00.000Z" }) as ShownRequest),
  currency: null,
  next,
});

test("the requests above the first that is shown are new", () => {
  expect(countNew(pageOf(["b", "a"]), pageOf(["b", "a"]))).toBeUndefined();
  expect(countNew(pageOf(["b", "a"]), pageOf(["d", "c", "b"]))).toBe("2");
  expect(countNew(pageOf([]), pageOf([]))).toBeUndefined();
  expect(countNew(pageOf([]), pageOf(["a"]))).toBe("1");
});

test("a newest page with nothing of what is shown says that there are more", () => {
  expect(countNew(pageOf(["a"]), pageOf(["d", "c"], "1.2"))).toBe("2+");
  expect(countNew(pageOf([]), pageOf(["d", "c"], "1.2"))).toBe("2+");
  // A purge took what was shown.
  expect(countNew(pageOf(["a"]), pageOf([]))).toBeUndefined();
});
