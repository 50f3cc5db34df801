import { expect, test } from "bun:test";
import {
  createNetworks,
  isLoopback,
  isLoopbackHost,
  readAddress,
  subscriberNetwork,
} from "../../src/net/addresses.ts";

test.each<[string, string | undefined]>([
  ["10.0.0.1", "10.0.0.1"],
  ["::ffff:10.0.0.1", "10.0.0.1"],
  ["::FFFF:7f00:1", "127.0.0.1"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["fe80::1%eth0", "fe80::1"],
  ["::1", "::1"],
  ["010.0.0.1", undefined],
  ["10.0.0.1:80", undefined],
  ["unknown", undefined],
  ["", undefined],
])("the address %p is read as %p", (text, expected) => {
  expect(readAddress(text)).toBe(expected);
});

test("this machine is recognised by its loopback addresses, and by no others", () => {
  const own = ["127.0.0.1", "127.8.8.8", "::1"];
  const others = ["10.0.0.1", "1.127.0.0", "::2", "127::1", undefined];
  expect(own.map(isLoopback)).toEqual(own.map(() => true));
  expect(others.map(isLoopback)).toEqual(others.map(() => false));
});

test("this machine is recognised in a URL and a setting by its loopback addresses and as localhost", () => {
  const own = ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "::1", "[::1]"];
  const others = ["10.0.0.1", "127.example.com", "[::2]", "[::1", "localhost.example.com", "0.0.0.0", ""];
  expect(own.map(isLoopbackHost)).toEqual(own.map(() => true));
  expect(others.map(isLoopbackHost)).toEqual(others.map(() => false));
});

test("IPv6 addresses of one /64 belong to one subscriber, in whatever form, and each IPv4 address to another", () => {
  expect(subscriberNetwork("2001:db8:1:2::5")).toBe(subscriberNetwork("2001:db8:1:2:aaaa:bbbb:cccc:dddd"));
  expect(subscriberNetwork("2001:db8::5")).toBe(subscriberNetwork("2001:db8::ffff:1:2:3"));
  expect(subscriberNetwork("::1")).toBe(subscriberNetwork("::2"));
  expect(subscriberNetwork("2001:db8:1:2::5")).not.toBe(subscriberNetwork("2001:db8:1:3::5"));
  expect(subscriberNetwork("2001:db8::1:0:0:0:1")).not.toBe(subscriberNetwork("2001:db8::1"));
  expect(subscriberNetwork("10.0.0.1")).not.toBe(subscriberNetwork("10.0.0.2"));
});

test("a network is an address, an address with a prefix length, or a name", () => {
  const isIn = createNetworks(["10.1.0.0/16", "192.0.2.7", "2001:db8::/32", "loopback"]);
  const inside = ["10.1.255.255", "192.0.2.7", "2001:db8:ffff::1", "127.0.0.53", "::1"];
  const outside = ["10.2.0.0", "192.0.2.8", "2001:db9::1", "::2"];
  expect(inside.map(isIn)).toEqual(inside.map(() => true));
  expect(outside.map(isIn)).toEqual(outside.map(() => false));
  const isPrivate = createNetworks(["private"]);
  expect(["172.16.0.1", "172.32.0.1", "fd00::1", "8.8.8.8"].map(isPrivate)).toEqual([
    true,
    false,
    true,
    false,
  ]);
});
