import { describe, expect, test } from "bun:test";
import { isOwnOrigin, isSameOrigin } from "../../src/auth/same-origin.ts";

const HOST = { host: "chat.example.com:8443" };
const check = (headers: Record<string, string>) => isSameOrigin(new Headers({ ...HOST, ...headers }));

describe("a request with a cookie", () => {
  test.each<[string, Record<string, string>]>([
    ["from the server's own page", { "sec-fetch-site": "same-origin" }],
    ["from its own page behind a proxy that changes the host", ownPage("https://other.example")],
    ["to an address that the user typed", { "sec-fetch-site": "none", "sec-fetch-mode": "navigate" }],
    [
      "from its own page, in a browser that sends only the origin",
      { origin: "https://chat.example.com:8443" },
    ],
    ["from its own page over plain HTTP", { origin: "http://chat.example.com:8443" }],
    ["with the host in upper case", { host: "Chat.Example.com", origin: "http://chat.example.com" }],
    ["from a program, without either header", {}],
  ])("a request with a cookie %s counts as same-origin", (_, headers) => {
    expect(check(headers)).toBe(true);
  });

  test.each<[string, Record<string, string>]>([
    ["from another site", { "sec-fetch-site": "cross-site" }],
    ["from another port or subdomain", { "sec-fetch-site": "same-site" }],
    [
      "from another site that claims the origin",
      { "sec-fetch-site": "cross-site", origin: "https://chat.example.com:8443" },
    ],
    ["from no page, but with an origin", { "sec-fetch-site": "none", origin: "null" }],
    ["with an unknown value of Sec-Fetch-Site", { "sec-fetch-site": "same-planet" }],
    [
      "from another port, in a browser that sends only the origin",
      { origin: "https://chat.example.com:9443" },
    ],
    ["from the default port", { origin: "https://chat.example.com" }],
    ["from a host that only begins with the name", { origin: "https://chat.example.com:8443.evil.example" }],
    ["from a sandboxed frame", { origin: "null" }],
    ["from an extension", { origin: "moz-extension://chat.example.com:8443/x" }],
    ["with an origin that is not a URL", { origin: "chat.example.com:8443" }],
    ["with an empty origin", { origin: "" }],
  ])("a request with a cookie %s does not count as same-origin", (_, headers) => {
    expect(check(headers)).toBe(false);
  });

  test("a request without a host does not count as same-origin", () => {
    expect(isSameOrigin(new Headers({ origin: "http://a" }))).toBe(false);
  });
});

test("an origin must be the server's own, whatever Sec-Fetch-Site says", () => {
  const own = (headers: Record<string, string>) => isOwnOrigin(new Headers({ ...HOST, ...headers }));
  expect(own({})).toBe(true);
  expect(own({ origin: "https://chat.example.com:8443" })).toBe(true);
  expect(own({ origin: "https://evil.example" })).toBe(false);
  expect(own({ origin: "https://evil.example", "sec-fetch-site": "cross-site" })).toBe(false);
});

function ownPage(origin: string): Record<string, string> {
  return { "sec-fetch-site": "same-origin", origin };
}

describe("a server with a public URL", () => {
  const publicUrl = "https://chat.example.com";
  const behindProxy = (headers: Record<string, string>) =>
    new Headers({ host: "127.0.0.1:8080", ...headers });

  test("the public URL is the server's own origin, whatever host a proxy sends", () => {
    const headers = behindProxy({ origin: publicUrl });
    expect([isSameOrigin(headers, publicUrl), isOwnOrigin(headers, publicUrl)]).toEqual([true, true]);
    expect([isSameOrigin(headers), isOwnOrigin(headers)]).toEqual([false, false]);
  });

  test.each<Record<string, string>>([
    { origin: "http://chat.example.com" },
    { origin: "https://chat.example.com:8443" },
    { origin: "https://chat.example.com.evil.example" },
    { origin: "https://sub.chat.example.com" },
    { origin: "null" },
    { origin: publicUrl, "sec-fetch-site": "cross-site" },
    { origin: publicUrl, "sec-fetch-site": "same-site" },
  ])("a page with %j is of another origin than the public URL", (headers) => {
    expect(isSameOrigin(behindProxy(headers), publicUrl)).toBe(false);
  });
});
