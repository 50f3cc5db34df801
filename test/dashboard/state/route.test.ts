import { expect, test } from "bun:test";
import { hrefOf, readCode, readRoute } from "../../../src/dashboard/state/route.ts";

test("an address contains a page, an argument and a query", () => {
  const { page, argument, query } = readRoute("#/users/u%2F1?tab=usage&x=1");
  expect([page, argument, query.get("tab")]).toEqual(["users", "u/1", "usage"]);
  expect(readRoute("")).toMatchObject({ page: "", argument: "" });
  expect(readRoute("#/")).toMatchObject({ page: "", argument: "" });
  expect(readRoute("#/overview")).toMatchObject({ page: "overview", argument: "" });
});

test("an argument that is badly encoded is kept as it is", () => {
  expect(readRoute("#/users/%E0%A4%A")).toMatchObject({ page: "users", argument: "%E0%A4%A" });
});

test.each(["u1", "a/b", "ü ö?&#%", "..", "a b"])(
  "a link with the argument %j is read back unchanged",
  (argument) => {
    const route = readRoute(hrefOf("users", argument, { tab: argument }));
    expect([route.page, route.argument, route.query.get("tab")]).toEqual(["users", argument, argument]);
  },
);

test("only the hash of a sign-in link contains a code", () => {
  expect(readCode("#code=a-b_C1")).toBe("a-b_C1");
  for (const hash of ["", "#", "#code=", "#/overview", "#/overview?code=x"])
    expect(readCode(hash), hash).toBeUndefined();
});
