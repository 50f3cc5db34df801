import { describe, expect, test } from "bun:test";
import { isSameServer, readServerAddress } from "../../../src/builtin-agent/server/server-address.ts";
import { CommandError } from "../../../src/errors.ts";

describe("a server's address", () => {
  test.each<[string, string, string | undefined]>([
    ["localhost", "ws://localhost:8080", undefined],
    ["localhost:9000", "ws://localhost:9000", undefined],
    ["chat.example:80", "ws://chat.example", undefined],
    ["::1", "ws://[::1]:8080", undefined],
    ["[::1]:9000", "ws://[::1]:9000", undefined],
    ["http://chat.example", "ws://chat.example", undefined],
    ["https://chat.example/", "wss://chat.example", undefined],
    ["HTTPS://chat.example:8443/", "wss://chat.example:8443", undefined],
    ["ws://a:1/client/register", "ws://a:1", undefined],
    ["wss://chat.example/client/register/", "wss://chat.example", undefined],
    ["a:1/agents/the-key", "ws://a:1", "the-key"],
    ["a:1/agents/the-key/client/register", "ws://a:1", "the-key"],
    ["https://chat.example/llm/agents/k~1/", "wss://chat.example/llm", "k~1"],
    ["https://chat.example/llm", "wss://chat.example/llm", undefined],
    [" a:1 ", "ws://a:1", undefined],
  ])("the address %j leads to %s, with the key %s", (text, label, key) => {
    expect(readServerAddress(text)).toEqual({ url: `${label}/client/register`, label, key });
  });

  test.each([
    "",
    "ftp://a",
    "http://",
    "ws://user:secret@a",
    "http://a?key=secret",
    "http://a#secret",
    "a b",
  ])("the address %j is refused, and the error does not repeat it", (text) => {
    expect(() => readServerAddress(text)).toThrow(CommandError);
    expect(() => readServerAddress(text)).not.toThrow(/secret/);
  });
});

test("a server is recognised by other names and schemes", () => {
  expect(isSameServer("http://127.0.0.1:8080", "ws://localhost:8080/client/register")).toBe(true);
  expect(isSameServer("http://[::1]:8080", "ws://127.0.0.1:8080")).toBe(true);
  expect(isSameServer("https://chat.example", "wss://chat.example:443/x")).toBe(true);
  expect(isSameServer("http://127.0.0.1:8080", "ws://localhost:8081")).toBe(false);
  expect(isSameServer("http://127.0.0.1:8080", "ws://chat.example:8080")).toBe(false);
});
