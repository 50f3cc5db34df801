import { expect, test } from "bun:test";
import { request as httpRequest } from "node:http";
import { DOMAIN, listenForChecks } from "./scene.ts";

/** Sends a request with this host in its header. */
function call(port: number, path: string, { host = DOMAIN, method = "GET" } = {}) {
  return new Promise<{ status: number | undefined; location: string | undefined; text: string }>(
    (resolve) => {
      const request = httpRequest(
        { host: "127.0.0.1", port, path, method, headers: { host } },
        (response) => {
          let text = "";
          response.on("data", (chunk) => {
            text += chunk;
          });
          const { statusCode: status, headers } = response;
          response.on("end", () => resolve({ status, location: headers.location, text }));
        },
      );
      request.end();
    },
  );
}

test("the answer to a check is at its token until it is removed", async () => {
  const http = listenForChecks();
  const path = "/.well-known/acme-challenge/token-1";
  const remove = http.add("token-1", "token-1.thumbprint");
  expect(await call(http.port, path)).toMatchObject({ status: 200, text: "token-1.thumbprint" });
  remove();
  expect(await call(http.port, path)).toMatchObject({ status: 308, location: `https://${DOMAIN}${path}` });
});

test("a browser is redirected to the same path by TLS, and never to a name that is not the server's", async () => {
  const { port } = listenForChecks();
  expect(await call(port, "/dashboard?a=b")).toMatchObject({
    status: 308,
    location: `https://${DOMAIN}/dashboard?a=b`,
  });
  expect(await call(port, "/x", { host: "evil.example" })).toMatchObject({ location: `https://${DOMAIN}/x` });
  const evilPath = await call(port, "//evil.example/x");
  expect(evilPath).toMatchObject({ location: `https://${DOMAIN}//evil.example/x` });
});

test("a request that could carry a key is refused with the address to use, and not redirected", async () => {
  const { port } = listenForChecks();
  const refused = await call(port, "/v1/chat/completions", { method: "POST" });
  expect(refused).toMatchObject({ status: 403, location: undefined });
  expect(refused.text).toContain(`Use https://${DOMAIN} instead.`);
});
