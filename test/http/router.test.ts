import { describe, expect, test } from "bun:test";
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
  ["ALL", "/users/add"],
  ["GET", "/models/:id{.+}"],
] as const;

const METHODS = ["GET", "POST", "PUT", "OPTIONS", "BREW"];
const PATHS = ["/", "/users", "/users/add", "/users/7", "/users/add/disable", "/models/a/b", "/nowhere"];

describe("a request", () => {
  test("finds what Hono's router would have it find, the first time and every further one", () => {
    const [ours, hono] = [createRouter<string>(), new TrieRouter<string>()];
    for (const router of [ours, hono])
      for (const [method, path] of ROUTES) router.add(method, path, `${method} ${path}`);
    for (let time = 0; time < 3; time++)
      for (const method of METHODS)
        for (const path of PATHS)
          expect(ours.match(method, path), `${method} ${path}`).toEqual(hono.match(method, path));
  });

  test("for a route without parameters is looked up once, and one for any other path each time", () => {
    const router = createRouter<string>();
    for (const [method, path] of ROUTES) router.add(method, path, path);
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

  test("that was found before has its own context", async () => {
    const app = new Hono<{ Variables: { seen: string } }>({ router: createRouter() });
    app.use(async (c, next) => {
      c.set("seen", c.req.query("q") ?? "none");
      await next();
    });
    app.get("/a", (c) => c.text(c.get("seen")));
    const texts = ["/a?q=1", "/a?q=2", "/a"].map(async (path) => (await app.request(path)).text());
    expect(await Promise.all(texts)).toEqual(["1", "2", "none"]);
  });
});
