import { describe, expect, test } from "bun:test";
import { completeHeaders, inlineHash, pagePolicy } from "../../../src/http/middleware/headers.ts";
import { openRawSocket } from "../../support/raw-socket.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";

describe("every answer", () => {
  test("every answer has the security headers, and none that names the server's software", async () => {
    const { url } = await startTestServer();
    const admin = { headers: { authorization: ADMIN_KEY } };
    const answers = [
      await fetch(`${url}/health`),
      await fetch(`${url}/admin/users`, admin),
      await fetch(`${url}/admin/users`),
      await fetch(`${url}/v1/models`, admin),
      await fetch(`${url}/nothing`),
      await fetch(`${url}/health`, { method: "DELETE" }),
      await fetch(`${url}/api/ask`, { method: "POST", headers: { authorization: ADMIN_KEY }, body: "{" }),
      await fetch(`${url}/nothing?${"a".repeat(5000)}`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 401, 200, 404, 405, 400, 414]);
    for (const { url: path, headers } of answers) {
      expect(headers.get("x-content-type-options"), path).toBe("nosniff");
      expect(headers.get("referrer-policy"), path).toBe("no-referrer");
      expect(headers.get("cache-control"), path).toBe("no-store");
      expect(headers.get("content-security-policy"), path).toBe("default-src 'none'; frame-ancestors 'none'");
      for (const name of ["server", "x-powered-by", "strict-transport-security", "set-cookie"])
        expect(headers.get(name), `${path} ${name}`).toBeNull();
    }
  });

  test("a stream has the same security headers", async () => {
    const { url } = await startTestServer();
    const agent = await openRawSocket(`${url}/client/register`);
    const hello = JSON.parse((await agent.receive())?.text ?? "{}");
    agent.send(JSON.stringify({ ...hello, message: "" }));
    const body = '{"content":"hi","stream":true}';
    const asked = fetch(`${url}/api/ask`, { method: "POST", headers: { authorization: ADMIN_KEY }, body });
    const { id } = JSON.parse((await agent.receive())?.text ?? "{}");
    agent.send(JSON.stringify({ id, message: "", data: '{"content":"hello"}' }));
    const { headers } = await asked;
    expect(headers.get("content-type")).toStartWith("text/event-stream");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("cache-control")).toBe("no-cache");
    agent.destroy();
  });
});

test("HSTS is sent over TLS only, and not for an address or localhost", () => {
  const hsts = (url: string, host: string) => {
    const headers = new Headers();
    completeHeaders(headers, new Request(url, { headers: { host } }));
    return headers.get("strict-transport-security");
  };
  expect(hsts("https://chat.example.com/", "chat.example.com:8443")).toBe("max-age=31536000");
  expect(hsts("http://chat.example.com/", "chat.example.com")).toBeNull();
  for (const host of ["localhost:8443", "a.localhost", "127.0.0.1", "[::1]:8443"])
    expect(hsts("https://x/", host)).toBeNull();
});

test("the policy of a page allows scripts of this server, and its styles and those with a given hash", () => {
  const hash = inlineHash("p { margin: 0 }");
  const policy = pagePolicy(hash);
  expect(hash).toMatch(/^'sha256-[A-Za-z0-9+/]{43}='$/);
  expect(policy).toContain("; script-src 'self'; ");
  expect(policy).toContain(`style-src 'self' ${hash};`);
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
  expect(policy).toStartWith("default-src 'none'; ");
  expect(policy).toContain("frame-ancestors 'none'");
});

test("the Cache-Control of a route is left alone", () => {
  const headers = new Headers({ "cache-control": "max-age=60", "content-security-policy": pagePolicy() });
  completeHeaders(headers, new Request("http://localhost/"));
  expect(headers.get("cache-control")).toBe("max-age=60");
  expect(headers.get("content-security-policy")).toBe(pagePolicy());
});
