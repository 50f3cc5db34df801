import { describe, expect, test } from "bun:test";
import { isOwnOrigin, isSameOrigin } from "../../src/auth/same-origin.ts";

const HOST = { host: "chat.example.com:8443" };
const check = (headers: Record<string, string>) => isSameOrigin(new Headers({ ...HOST, ...headers }));

describe("a request with a cookie", () => {
  test.each<[string, Record<string, string>]>([
    ["of the server's own page", { "sec-fetch-site": "same-origin" }],
    ["of its own page behind a proxy that changes the host", ownPage("https://other.example")],
    ["that somebody typed the address of", { "sec-fetch-site": "none", "sec-fetch-mode": "navigate" }],
    ["of its own page, in a browser that names the origin only", { origin: "https://chat.example.com:8443" }],
    ["of its own page over plain HTTP", { origin: "http://chat.example.com:8443" }],
    ["with the host in other letters", { host: "Chat.Example.com", origin: "http://chat.example.com" }],
    ["of a program, which says nothing of it", {}],
  ])("%s counts", (_, headers) => {
    expect(check(headers)).toBe(true);
  });

  test.each<[string, Record<string, string>]>([
    ["of another site", { "sec-fetch-site": "cross-site" }],
    ["of another port or a name below", { "sec-fetch-site": "same-site" }],
    [
      "of another site that claims the origin",
      { "sec-fetch-site": "cross-site", origin: "https://chat.example.com:8443" },
    ],
    ["of no page, but one that changes something", { "sec-fetch-site": "none", origin: "null" }],
    ["whose browser says what nobody knows", { "sec-fetch-site": "same-planet" }],
    ["of another port, in a browser that names the origin only", { origin: "https://chat.example.com:9443" }],
    ["of the port that goes without saying", { origin: "https://chat.example.com" }],
    ["of a name that only begins so", { origin: "https://chat.example.com:8443.evil.example" }],
    ["of a sandboxed frame", { origin: "null" }],
    ["of an extension", { origin: "moz-extension://chat.example.com:8443/x" }],
    ["with an origin that is none", { origin: "chat.example.com:8443" }],
    ["with an empty origin", { origin: "" }],
  ])("%s does not", (_, headers) => {
    expect(check(headers)).toBe(false);
  });

  test("without a host has no origin of its own", () => {
    expect(isSameOrigin(new Headers({ origin: "http://a" }))).toBe(false);
  });
});

test("where an origin is named it must be the server's own, whatever else is said", () => {
  const own = (headers: Record<string, string>) => isOwnOrigin(new Headers({ ...HOST, ...headers }));
  expect(own({})).toBe(true);
  expect(own({ origin: "https://chat.example.com:8443" })).toBe(true);
  expect(own({ origin: "https://evil.example" })).toBe(false);
  expect(own({ origin: "https://evil.example", "sec-fetch-site": "cross-site" })).toBe(false);
});

function ownPage(origin: string): Record<string, string> {
  return { "sec-fetch-site": "same-origin", origin };
}
