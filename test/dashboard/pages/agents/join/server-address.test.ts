import { expect, test } from "bun:test";
import {
  isLoopbackHost,
  proposedAddress,
  readServer,
  type ServerAddress,
  upstreamFault,
} from "../../../../../src/dashboard/pages/agents/join/server-address.ts";

const PLAIN: ServerAddress = { isSecure: false, host: "chat.example.com:8080" };
const SECURE: ServerAddress = { isSecure: true, host: "chat.example.com" };

test.each<[string, boolean, ServerAddress]>([
  ["chat.example.com", true, { isSecure: true, host: "chat.example.com" }],
  ["chat.example.com", false, { isSecure: false, host: "chat.example.com" }],
  [" chat.example.com:8080/ ", false, { isSecure: false, host: "chat.example.com:8080" }],
  ["http://chat.example.com:80/dashboard#/agents", true, { isSecure: false, host: "chat.example.com" }],
  ["https://chat.example.com:443", false, { isSecure: true, host: "chat.example.com" }],
  ["wss://chat.example.com:8443", false, { isSecure: true, host: "chat.example.com:8443" }],
  ["ws://10.0.0.7:8080", true, { isSecure: false, host: "10.0.0.7:8080" }],
  ["[fd00::2]:8080", false, { isSecure: false, host: "[fd00::2]:8080" }],
  ["fd00::2", false, { isSecure: false, host: "[fd00::2]" }],
])("%p on a page where TLS is %p is read as an address", (typed, isSecure, address) => {
  expect(readServer(typed, { isSecure })).toEqual(address);
});

test.each(["", "  ", "http://", "ftp://a.example", "a b", "a%20b", "user:pass@a.example", "a.example:99999"])(
  "%p is not an address",
  (typed) => {
    expect(readServer(typed, { isSecure: false })).toBeUndefined();
  },
);

test("loopback hosts are told apart from hosts that only look like them", () => {
  for (const host of ["localhost:8080", "127.0.0.1", "127.3.2.1:80", "[::1]:8080", "[::1]", "LOCALHOST"])
    expect(isLoopbackHost({ isSecure: false, host })).toBe(true);
  for (const host of ["localhost.example:8080", "10.0.0.7:8080", "[fd00::1]:8080", "127.0.0.1.example"])
    expect(isLoopbackHost({ isSecure: false, host })).toBe(false);
});

test("a model server's address is refused if it is this server, as the agent would refuse it", () => {
  const here: ServerAddress = { isSecure: false, host: "127.0.0.1:8080" };
  expect(upstreamFault("http://localhost:8080", here)).toContain("this server's own");
  expect(upstreamFault("http://localhost:8081", here)).toBeUndefined();
  expect(
    upstreamFault("https://localhost:8080", { isSecure: true, host: "chat.example.com" }),
  ).toBeUndefined();
  expect(upstreamFault("https://chat.example.com/v1", SECURE)).toContain("this server's own");
});

test("a model server's address is refused without an HTTP scheme", () => {
  for (const upstream of ["localhost:8000", "", "http://", "ftp://a.example"])
    expect(upstreamFault(upstream, PLAIN)).toContain("scheme");
});

test("the proposed address is the public URL, and never the loopback address of a node of a cluster", () => {
  const loopback = { isSecure: false, host: "127.0.0.1:8080" };
  const publicUrl = "https://chat.example.com";
  for (const isCluster of [false, true])
    expect(proposedAddress({ publicUrl, page: loopback, isCluster })).toBe(publicUrl);
  const unknown = { publicUrl: undefined };
  expect(proposedAddress({ ...unknown, page: loopback, isCluster: false })).toBe("http://127.0.0.1:8080");
  expect(proposedAddress({ ...unknown, page: loopback, isCluster: true })).toBe("");
  expect(proposedAddress({ ...unknown, page: SECURE, isCluster: true })).toBe("https://chat.example.com");
});
