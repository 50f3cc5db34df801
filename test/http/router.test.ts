import { expect, test } from "bun:test";
import { TrieRouter } from "hono/router/trie-router";
import { createRouter } from "../../src/http/router.ts";

const ROUTES = [
  ["ALL", "*"],
  ["OPTIONS", "*"],
  ["GET", "/users"],
  ["POST", "/users/add"],
  ["GET", "/users/:id"],
  ["POST", "/users/:id/disable"],
  ["GET", "/models/:id{.+}"],
] as const;

const METHODS = ["GET", "POST", "PUT", "OPTIONS", "BREW"];
const PATHS = ["/", "/users", "/users/7", "/users/add/disable", "/models/a/b", "/nowhere"];

function createFilledRouter() {
  const router = createRouter<string>();
  for (const [method, path] of ROUTES) router.add(method, path, `${method} ${path}`);
  return router;
}

test("a request finds the routes that Hono's own router finds", () => {
  const ours = createFilledRouter();
  const hono = new TrieRouter<string>();
  for (const [method, path] of ROUTES) hono.add(method, path, `${method} ${path}`);
  for (const method of METHODS)
    for (const path of PATHS)
      expect(ours.match(method, path), `${method} ${path}`).toEqual(hono.match(method, path));
});

test("a path that is declared in full is not the value of a parameter, whatever the method", () => {
  const router = createFilledRouter();
  const found = (method: string) => router.match(method, "/users/add")[0].map(([handler]) => handler);
  expect(found("POST")).toEqual(["ALL *", "POST /users/add"]);
  expect(found("GET")).toEqual(["ALL *"]);
  expect(found("BREW")).toEqual(["ALL *"]);
});
