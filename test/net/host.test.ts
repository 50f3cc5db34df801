import { expect, test } from "bun:test";
import { createOwnHosts, readHost } from "../../src/net/host.ts";

test.each([
  "localhost/admin",
  "a b",
  "a/health?",
  "localhost:8080/x",
  "user@localhost",
  "localhost#x",
  "localhost\\x",
  "localhost,evil.example",
  "localhost:",
  "localhost:123456",
  "[::1",
  "",
])("the header %p is not a host", (header) => {
  expect(readHost(header)).toBeUndefined();
});

test("this machine is called by its addresses, localhost and the given names, in any case and with any port", () => {
  const isOwn = createOwnHosts(["Chat.Example.com"]);
  const own = ["localhost", "LOCALHOST:80", "a.localhost", "127.0.0.1:8080", "[::1]:8080", "192.168.1.5"];
  const named = ["chat.example.com", "CHAT.example.com.:443"];
  const foreign = [
    "evil.example",
    "localhost.evil.example",
    "notlocalhost",
    "1.2.3.4.evil.example",
    "127.0.0.1.nip.io",
  ];
  expect([...own, ...named].map(isOwn)).toEqual([...own, ...named].map(() => true));
  expect(foreign.map(isOwn)).toEqual(foreign.map(() => false));
});
