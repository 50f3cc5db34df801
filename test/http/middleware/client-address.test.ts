import { describe, expect, test } from "bun:test";
import {
  createClientAddresses,
  createTlsCheck,
  type TrustProxy,
} from "../../../src/http/middleware/client-address.ts";

interface Seen {
  peer?: string | null;
  headers?: Record<string, string>;
}

function addressOf({ peer = "127.0.0.1", headers = {} }: Seen, trust?: TrustProxy) {
  const server = { requestIP: () => (peer === null ? null : { address: peer }) };
  return createClientAddresses(trust)(new Request("http://localhost/", { headers }), server);
}
const caller = (seen: Seen, trust?: TrustProxy) => addressOf(seen, trust).address;
const loopback: TrustProxy = { networks: ["loopback"] };

describe("without a trusted proxy", () => {
  test("without a trusted proxy, the peer is the caller, whatever a header says", () => {
    for (const headers of [
      { "x-forwarded-for": "8.8.8.8" },
      { forwarded: "for=8.8.8.8" },
      { "x-real-ip": "8.8.8.8" },
    ])
      expect(addressOf({ headers })).toMatchObject({
        address: "127.0.0.1",
        isForwarded: true,
        isReportedByProxy: false,
      });
    expect(addressOf({ peer: "::ffff:10.0.0.1" })).toMatchObject({ address: "10.0.0.1", isForwarded: false });
    expect(addressOf({ peer: null })).toMatchObject({ address: undefined, isForwarded: false });
  });

  test.each(["x-forwarded-proto", "true-client-ip", "x-client-ip"])(
    "a request with the header %s of a proxy came from elsewhere",
    (name) => expect(addressOf({ headers: { [name]: "8.8.8.8" } })).toMatchObject({ isForwarded: true }),
  );
});

describe("behind trusted proxies", () => {
  test.each<[string, Seen, TrustProxy, string]>([
    [
      "the address that the proxy saw counts",
      { headers: { "x-forwarded-for": "8.8.8.8" } },
      loopback,
      "8.8.8.8",
    ],
    [
      "an address that the caller made up does not count",
      { headers: { "x-forwarded-for": "1.1.1.1, 8.8.8.8" } },
      loopback,
      "8.8.8.8",
    ],
    [
      "the last untrusted address before several proxies is the caller",
      { headers: { "x-forwarded-for": "1.1.1.1, 8.8.8.8, 10.0.0.2" } },
      { networks: ["loopback", "10.0.0.0/8"] },
      "8.8.8.8",
    ],
    [
      "the farthest address is the caller if all are trusted",
      { headers: { "x-forwarded-for": "10.0.0.9, 10.0.0.2" } },
      { networks: ["loopback", "private"] },
      "10.0.0.9",
    ],
    [
      "a peer that is not trusted is the caller",
      { peer: "9.9.9.9", headers: { "x-forwarded-for": "8.8.8.8" } },
      loopback,
      "9.9.9.9",
    ],
    [
      "counted proxies are trusted wherever they are",
      { peer: "9.9.9.9", headers: { "x-forwarded-for": "1.1.1.1, 8.8.8.8, 7.7.7.7" } },
      { hops: 2 },
      "8.8.8.8",
    ],
    ["an IPv4 port is left out", { headers: { "x-forwarded-for": "8.8.8.8:4711" } }, loopback, "8.8.8.8"],
    [
      "an IPv6 port is left out",
      { headers: { "x-forwarded-for": "[2001:DB8::1]:4711" } },
      loopback,
      "2001:db8::1",
    ],
    [
      "Forwarded is read too",
      { headers: { forwarded: 'for=1.1.1.1, for="[2001:db8::1]:4711";proto=https;by=10.0.0.1' } },
      loopback,
      "2001:db8::1",
    ],
    ["X-Real-IP is read too", { headers: { "x-real-ip": "8.8.8.8" } }, loopback, "8.8.8.8"],
    [
      "headers that agree are trusted",
      { headers: { "x-real-ip": "8.8.8.8", "x-forwarded-for": "1.1.1.1, 8.8.8.8" } },
      loopback,
      "8.8.8.8",
    ],
    [
      "a header that the proxy passed on unread cannot take the caller's place",
      { headers: { "x-forwarded-for": "8.8.8.8", "x-real-ip": "1.1.1.1" } },
      loopback,
      "127.0.0.1",
    ],
    [
      "text that is not an address ends the chain",
      { headers: { "x-forwarded-for": "8.8.8.8, unknown" } },
      loopback,
      "127.0.0.1",
    ],
    ["an empty header is ignored", { headers: { "x-forwarded-for": "" } }, loopback, "127.0.0.1"],
    [
      "a header of thousands of addresses is read from its end",
      { headers: { "x-forwarded-for": `${"1.1.1.1,".repeat(3000)}127.0.0.1` } },
      loopback,
      "1.1.1.1",
    ],
  ])("behind trusted proxies, %s", (_, seen, trust, expected) => {
    expect(caller(seen, trust)).toBe(expected);
  });

  test("only a trusted proxy that sends a header vouches for the caller", () => {
    const headers = { "x-forwarded-for": "127.0.0.1" };
    expect(addressOf({ headers }, loopback).isReportedByProxy).toBe(true);
    expect(addressOf({}, loopback).isReportedByProxy).toBe(false);
    expect(addressOf({ peer: "10.0.0.1", headers }, loopback).isReportedByProxy).toBe(false);
  });

  test("a request from a trusted proxy's address counts as forwarded, even without a header", () => {
    expect(addressOf({}, loopback)).toMatchObject({ address: "127.0.0.1", isForwarded: true });
    expect(addressOf({ peer: "10.0.0.1" }, loopback)).toMatchObject({
      address: "10.0.0.1",
      isForwarded: false,
    });
  });
});

describe("a caller came by TLS", () => {
  const isSecure = (url: string, { peer = "127.0.0.1", headers = {} }: Seen, trust?: TrustProxy) =>
    createTlsCheck(trust)(new Request(url, { headers }), {
      requestIP: () => (peer === null ? null : { address: peer }),
    });
  const plain = (seen: Seen, trust?: TrustProxy) => isSecure("http://localhost/", seen, trust);

  test("a TLS connection to the server itself is secure", () => {
    expect(isSecure("https://localhost/", {})).toBe(true);
    expect(plain({})).toBe(false);
  });

  test("a request is secure if a trusted proxy says that it came by TLS", () => {
    for (const headers of [
      { "x-forwarded-proto": "https" },
      { "x-forwarded-proto": "HTTPS" },
      { "x-forwarded-proto": "https, http" },
      { forwarded: 'for="[2001:db8::1]";proto=https;by=10.0.0.1' },
      { forwarded: "proto=https" },
    ] as Record<string, string>[]) {
      expect(plain({ headers }, loopback)).toBe(true);
      expect(plain({ headers }, { hops: 1 })).toBe(true);
      expect(plain({ headers })).toBe(false);
      expect(plain({ peer: "192.0.2.1", headers }, loopback)).toBe(false);
      expect(plain({ peer: null, headers }, loopback)).toBe(false);
    }
    for (const headers of [{}, { "x-forwarded-proto": "http" }, { forwarded: "for=192.0.2.1" }])
      expect(plain({ headers: headers as Record<string, string> }, loopback)).toBe(false);
  });
});
