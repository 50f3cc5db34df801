import { expect, test } from "bun:test";
import { Hono } from "hono";
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

test("a request finds the routes that Hono's own router finds, the first time and every time after", () => {
  const ours = createFilledRouter();
  const hono = new TrieRouter<string>();
  for (const [method, path] of ROUTES) hono.add(method, path, `${method} ${path}`);
  for (let time = 0; time < 3; time++)
    for (const method of METHODS)
      for (const path of PATHS)
        expect(ours.match(method, path), `${method} ${path}`).toEqual(hono.match(method, path));
});

test("a path that is declared in full is not the value of a parameter, whatever the method", () => {
  const router = createFilledRouter();
  const found = (method: string) => router.match(method, "/users/add")[0].map(([handler]) => handler);
  for (let time = 0; time < 2; time++) {
    expect(found("POST")).toEqual(["ALL *", "POST /users/add"]);
    expect(found("GET")).toEqual(["ALL *"]);
    expect(found("BREW")).toEqual(["ALL *"]);
  }
});

test("a path without parameters is looked up once, any other path each time", () => {
  const router = createFilledRouter();
  const isKept = (method: string, path: string) => {
    const first = router.match(method, path);
    return router.match(method, path) === first;
  };
  expect([isKept("GET", "/users"), isKept("POST", "/users/add")]).toEqual([true, true]);
  expect([isKept("GET", "/users/7"), isKept("GET", "/nowhere"), isKept("BREW", "/users")]).toEqual([
    false,
    false,
    false,
  ]);
});

test("a request whose path was looked up before has a context of its own", async () => {
  const app = new Hono<{ Variables: { seen: string } }>({ router: createRouter() });
  app.use(async (c, next) => {
    c.set("seen", c.req.query("q") ?? "none");
    await next();
  });
  app.get("/a", (c) => c.text(c.get("seen")));
  const texts = ["/a?q=1", "/a?q=2", "/a"].map(async (path) => (await app.request(path)).text());
  expect(await Promise.all(texts)).toEqual(["1", "2", "none"]);
});
