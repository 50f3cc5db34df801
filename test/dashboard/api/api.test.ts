import { expect, test } from "bun:test";
import { usagePath } from "../../../src/dashboard/api/api.ts";

test("a usage path contains the groups, separated by commas", () => {
  expect(usagePath("admin", { user: "u1", by: ["day", "model"], format: "csv" })).toBe(
    "/admin/usage?user=u1&format=csv&by=day%2Cmodel",
  );
});
