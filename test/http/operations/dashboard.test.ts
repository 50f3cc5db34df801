import { describe, expect, test } from "bun:test";
import { brotliDecompressSync } from "node:zlib";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { cookieFor, dashboardScript } from "../../support/session.ts";
import { addLimitedUser } from "../../support/user-caller.ts";

const get = (url: string, headers: Record<string, string> = {}, method = "GET") =>
  fetch(url, { method, headers, redirect: "manual", decompress: false });

describe("/", () => {
  test("the path / redirects a browser to the dashboard, to a fixed place that no header can change", async () => {
    const { url } = await startTestServer();
    const accept = "text/html,application/xhtml+xml,*/*;q=0.8";
    for (const headers of [
      { accept },
      { accept, "x-forwarded-host": "evil.example", "x-forwarded-prefix": "/x" },
    ]) {
      const response = await get(`${url}/`, headers as Record<string, string>);
      expect([response.status, response.headers.get("location")]).toEqual([303, "dashboard"]);
    }
    expect((await get(`${url}/`, { accept }, "HEAD")).status).toBe(303);
  });

  test("the path / tells a client with a key that Ollama's API is here", async () => {
    const { url } = await startTestServer();
    for (const accept of ["*/*", "application/json"]) {
      const response = await get(`${url}/`, { accept, authorization: "Bearer key" });
      expect([response.status, await response.text()]).toEqual([200, "Ollama is running"]);
    }
    expect((await get(`${url}/`, { authorization: "Bearer key" }, "HEAD")).status).toBe(200);
  });

  test("the path / is a 404 for all others, as on the Go server", async () => {
    const { url } = await startTestServer();
    for (const [headers, method] of [
      [{}, "GET"],
      [{ accept: "application/json" }, "GET"],
      [{ accept: "text/html" }, "POST"],
      [{ accept: "text/html" }, "DELETE"],
      [{ authorization: "Bearer key" }, "POST"],
    ] as const) {
      const response = await get(`${url}/`, headers as Record<string, string>, method);
      expect([response.status, await response.text()]).toEqual([404, '{"error":"404 page not found"}']);
    }
    expect((await get(`${url}/other`, { accept: "text/html" })).status).toBe(404);
  });
});

describe("/dashboard", () => {
  test("the dashboard page runs only its own scripts, and is revalidated each time", async () => {
    const { url } = await startTestServer();
    const page = await get(`${url}/dashboard`);
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html;charset=utf-8"]);
    expect(page.headers.get("cache-control")).toBe("no-cache");
    const policy = page.headers.get("content-security-policy");
    expect(policy).toStartWith("default-src 'none'; script-src 'self'; style-src 'self';");
    expect(policy).toContain(
      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    const html = await page.text();
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style| on\w+=| style=|javascript:|https?:\/\//i);
  });

  test("the page of a browser that is signed in asks for the session at once, which would be an error for all others", async () => {
    const { url } = await startTestServer();
    const asksFor = async (headers: Record<string, string>) => {
      const page = await get(`${url}/dashboard`, headers);
      expect(page.headers.get("vary")).toBe("accept-encoding, cookie");
      return (await page.text()).includes('href="/api/session"');
    };
    const cookie = await cookieFor(url, ADMIN_KEY);
    expect(await asksFor({ cookie, "sec-fetch-site": "none" })).toBe(true);
    expect(await asksFor({ cookie, "sec-fetch-site": "cross-site" })).toBe(false);
    expect(await asksFor({ cookie: cookie.replace(/=.*/, `=${"A".repeat(43)}`) })).toBe(false);
    expect(await asksFor({})).toBe(false);
  });

  test("the page of an administrator also asks for the overview at once, unless the browser last showed another page", async () => {
    const { url } = await startTestServer();
    const asksFor = async (headers: Record<string, string>) =>
      (await (await get(`${url}/dashboard`, headers)).text()).includes('href="/admin/overview"');
    const cookie = await cookieFor(url, ADMIN_KEY);
    const { token } = await addLimitedUser(url);
    expect(await asksFor({ cookie })).toBe(true);
    expect(await asksFor({ cookie: `other-dashboard-page=other; ${cookie}` })).toBe(true);
    for (const elsewhere of [`dashboard-page=other; ${cookie}`, `${cookie}; dashboard-page=other`])
      expect(await asksFor({ cookie: elsewhere }), elsewhere).toBe(false);
    expect(await asksFor({ cookie, "sec-fetch-site": "cross-site" })).toBe(false);
    expect(await asksFor({ cookie: await cookieFor(url, token) })).toBe(false);
    expect(await asksFor({})).toBe(false);
    await fetch(`${url}/api/session`, { method: "DELETE", headers: { cookie } });
    expect(await asksFor({ cookie }), "after the session").toBe(false);
  });

  test("the dashboard's scripts are cached forever, as their names change with their content", async () => {
    const { url } = await startTestServer();
    const script = await get(url + (await dashboardScript(url)));
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(script.headers.get("content-type")).toStartWith("text/javascript");
    expect(script.headers.get("content-security-policy")).toStartWith("default-src 'none'");
  });

  test("the dashboard is compressed for callers that accept it, and each encoding has its own ETag", async () => {
    const { url } = await startTestServer();
    const path = url + (await dashboardScript(url));
    const plain = await get(path);
    const bytes = new Uint8Array(await plain.arrayBuffer());
    for (const [accepted, encoding] of [
      ["gzip", "gzip"],
      ["GZIP", "gzip"],
      ["br;q=0, gzip;q=0.5", "gzip"],
      ["gzip, deflate, br, zstd", "br"],
      ["br", "br"],
    ] as const) {
      const zipped = await get(path, { "accept-encoding": accepted });
      expect([accepted, zipped.headers.get("content-encoding")]).toEqual([accepted, encoding]);
      const compressed = new Uint8Array(await zipped.arrayBuffer());
      expect(compressed.length).toBeLessThan(bytes.length / 2);
      const decompress = encoding === "br" ? brotliDecompressSync : Bun.gunzipSync;
      expect(new Uint8Array(decompress(compressed))).toEqual(bytes);
      expect(zipped.headers.get("vary")).toContain("accept-encoding");
      expect(zipped.headers.get("etag")).not.toBe(plain.headers.get("etag"));
    }
    for (const refused of ["identity", "gzip;q=0", "br;q=0.0", "deflate"])
      expect((await get(path, { "accept-encoding": refused })).headers.get("content-encoding")).toBeNull();
  });

  test("the dashboard is a 304 for a caller that has it in the same encoding", async () => {
    const { url } = await startTestServer();
    for (const coding of ["identity", "gzip", "br"]) {
      const headers = { "accept-encoding": coding };
      const etag = (await get(`${url}/dashboard`, headers)).headers.get("etag") ?? "";
      const again = await get(`${url}/dashboard`, { ...headers, "if-none-match": `"x", W/${etag}` });
      expect([again.status, again.headers.get("etag"), await again.text()]).toEqual([304, etag, ""]);
      const other = await get(`${url}/dashboard`, { ...headers, "if-none-match": '"x"' });
      expect(other.status).toBe(200);
    }
  });

  test("the dashboard answers HEAD, accepts no other method, and has no other file", async () => {
    const { url } = await startTestServer();
    const head = await get(`${url}/dashboard`, {}, "HEAD");
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect((await get(`${url}/dashboard`, {}, "POST")).status).toBe(405);
    for (const path of [
      "/dashboard/",
      "/dashboard/none.js",
      "/dashboard/..%2fpackage.json",
      "/dashboard/%00",
    ])
      expect([path, (await get(url + path)).status]).toEqual([path, 404]);
  });

  test("the dashboard is refused for the name of another site that points to this machine", async () => {
    const { url } = await startTestServer();
    for (const path of ["/dashboard", "/"]) {
      const response = await get(url + path, { host: "evil.example", accept: "text/html" });
      expect([path, response.status]).toEqual([path, 403]);
    }
  });
});
