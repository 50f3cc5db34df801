import { describe, expect, test } from "bun:test";
import { request as plainRequest } from "node:http";
import manifest from "../../../package.json" with { type: "json" };
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";

const ROUTES = [
  ["/openapi.json", "application/json; charset=utf-8"],
  ["/docs", "text/html; charset=utf-8"],
] as const;

describe.each(ROUTES)("%s", (path, type) => {
  test("the documentation is the same for everybody, without a key", async () => {
    const { url, agentKey } = await startTestServer(["--metrics-key", "metrics-key-of-the-tests"]);
    const texts = await Promise.all(
      [{}, { authorization: "wrong" }, { authorization: ADMIN_KEY }].map(async (headers) => {
        const response = await fetch(url + path, { headers });
        expect([response.status, response.headers.get("content-type")]).toEqual([200, type]);
        return response.text();
      }),
    );
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toContain(manifest.version);
    for (const secret of [ADMIN_KEY, agentKey, "metrics-key-of-the-tests"])
      expect(texts[0]).not.toContain(secret);
  });

  test("the documentation is not sent again while it is unchanged", async () => {
    const { url } = await startTestServer();
    const first = await fetch(url + path);
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[\w-]+"$/);
    expect(first.headers.get("cache-control")).toBe("no-cache");
    for (const [header, status] of [
      [etag, 304],
      [`W/${etag}`, 304],
      [`"other", ${etag}`, 304],
      ["*", 304],
      ['"other"', 200],
      ["", 200],
    ] as const) {
      const response = await fetch(url + path, { headers: { "if-none-match": header } });
      expect([header, response.status, response.headers.get("etag")]).toEqual([header, status, etag]);
      if (status === 304) expect(await response.text()).toBe("");
    }
  });

  test("the documentation answers HEAD like GET, without the body", async () => {
    const { url } = await startTestServer();
    const get = await fetch(url + path);
    const head = await fetch(url + path, { method: "HEAD" });
    const told = ({ status, headers }: Response) => [
      status,
      ...["content-type", "etag", "cache-control", "content-security-policy"].map((name) =>
        headers.get(name),
      ),
    ];
    expect(told(head)).toEqual(told(get));
    expect(await head.text()).toBe("");
    expect((await get.text()).length).toBeGreaterThan(10_000);
  });

  test("the documentation is refused for the name of another site that points to this machine", async () => {
    const { url } = await startTestServer();
    const status = await new Promise((resolve, reject) => {
      const headers = { host: "evil.example" };
      plainRequest(url + path, { headers }, (response) => resolve(response.resume().statusCode))
        .on("error", reject)
        .end();
    });
    expect(status).toBe(403);
  });
});

test("the document names the server by its public URL, and by its own address without one", async () => {
  const serversOf = async (flags: readonly string[]) => {
    const response = await fetch(`${(await startTestServer(flags)).url}/openapi.json`);
    return ((await response.json()) as { servers: { url: string }[] }).servers.map(({ url }) => url);
  };
  expect(await serversOf([])).toEqual(["/"]);
  expect(await serversOf(["--public-url", "https://chat.example.com"])).toEqual(["https://chat.example.com"]);
});
