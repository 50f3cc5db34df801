import { expect, test } from "bun:test";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { ADMIN_KEY, startTestServer } from "../../../support/server.ts";

/** Requests a list, and returns the response as it came. */
async function listOf(url: string, encoding: string) {
  const headers = { authorization: ADMIN_KEY, "accept-encoding": encoding };
  const asked = request(`${url}/admin/settings`, { headers });
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  return { headers: response.headers, bytes: await buffer(response) };
}

test("a long list for administrators is compressed if the caller takes that", async () => {
  const { url } = await startTestServer();
  const plain = await listOf(url, "identity");
  expect(plain.headers["content-encoding"]).toBeUndefined();
  for (const accepted of ["gzip", "br;q=1, gzip;q=0.5", "*"]) {
    const { headers, bytes } = await listOf(url, accepted);
    expect(headers["content-encoding"]).toBe("gzip");
    expect(headers.vary).toContain("Accept-Encoding");
    expect(bytes.length).toBeLessThan(plain.bytes.length / 2);
    expect(Object.keys(JSON.parse(gunzipSync(bytes).toString()).settings)).toEqual(
      Object.keys(JSON.parse(plain.bytes.toString()).settings),
    );
  }
  for (const accepted of ["gzip;q=0", "br", "x-gzip-not"])
    expect((await listOf(url, accepted)).headers["content-encoding"]).toBeUndefined();
});

test("a short answer is not compressed, nor is one that is not for administrators", async () => {
  const { url } = await startTestServer();
  for (const path of ["/admin/users", "/v1/models", "/health"]) {
    const response = await fetch(`${url}${path}`, { headers: { authorization: ADMIN_KEY } });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-encoding")).toBeNull();
  }
});
