import { expect, test } from "bun:test";
import { ROUTES } from "../../src/http/resources.ts";
import { createRouteTable } from "../../src/http/route-table.ts";

const table = createRouteTable(ROUTES);
const nameOf = (route: { method: string; path: string } | undefined) =>
  route && `${route.method} ${route.path}`;

test.each([
  ["GET", "/health", "GET /health"],
  ["HEAD", "/health", "GET /health"],
  ["POST", "/health", undefined],
  ["GET", "/admin/users/7", "GET /admin/users/:id"],
  ["POST", "/admin/users/add", "POST /admin/users/add"],
  ["GET", "/admin/users/add", undefined],
  ["GET", "/v1/models/a/b", "GET /v1/models/:id{.+}"],
  ["GET", "/nothing", undefined],
])("%s %s is served by the route %p", (method, path, expected) => {
  expect(nameOf(table.find(method, path))).toBe(expected as string);
});

test.each([
  ["/health", ["GET", "HEAD"]],
  ["/admin/users/7", ["GET", "HEAD", "PATCH", "DELETE"]],
  ["/admin/users/add", ["POST"]],
  ["/admin/users/7/usage", ["GET", "HEAD"]],
  ["/nothing", []],
])("the path %s accepts the methods %j", (path, methods) => {
  expect(table.methodsOf(path)).toEqual(methods);
});

test.each([
  ["/api/nothing", "/api/"],
  ["/v1/nothing", "/v1/chat/completions"],
  ["/v1/messages/nothing", "/v1/messages"],
  ["/admin/users/7/nothing", "/admin/users/"],
  ["/dashboard/a/b", "/dashboard"],
])("the path %s, which has no route, comes closest to a route below %s", (path, expected) => {
  expect(table.nearest(path)?.path).toStartWith(expected);
});

test.each(["/", "/nothing", "", "/Health", "//api"])("the path %p comes close to no route", (path) => {
  expect(table.nearest(path)).toBeUndefined();
});

test("a path with thousands of segments is cut, and has no route", () => {
  const table = createRouteTable(ROUTES);
  for (const path of ["/a".repeat(2000), "/v1".repeat(1300), `/admin/users${"/x".repeat(1000)}`]) {
    const cut = table.canonical(path);
    expect(cut.split("/").length).toBeLessThan(70);
    expect(table.find("GET", cut)).toBeUndefined();
  }
  const model = `/v1/models/${"a/".repeat(40)}b`;
  expect(table.canonical(model)).toBe(model);
});
