import { expect, test } from "bun:test";
import { readServerArgs } from "../../src/cli/args.ts";

const configOf = (args: readonly string[]) =>
  readServerArgs({ args: ["8080", "key", ...args], env: {} }).config;

test.each([
  ["100ms", 100],
  ["1.5s", 1500],
  ["90", 90_000],
  ["2m", 120_000],
  ["1h", 3_600_000],
  ["0.5", 500],
])("the time %s is read as %d ms", (text, ms) => {
  expect(configOf(["--queue-wait", text]).queueWaitMs).toBe(ms);
});

test.each([
  ["1024", 1024],
  ["2048B", 2048],
  ["1KB", 1024],
  ["1.5mb", 1_572_864],
  ["0.25GB", 268_435_456],
])("the size %s is read as %d bytes", (text, bytes) => {
  expect(configOf(["--body-max", text]).bodyBytesMax).toBe(bytes);
});

test.each([
  ["::", "::"],
  ["[::1]", "::1"],
  ["0.0.0.0", "0.0.0.0"],
  ["my-host.example", "my-host.example"],
])("the address %s is read as %s", (text, host) => {
  expect(configOf(["--host", text]).host).toBe(host);
});

test("origins are separated by commas and lower-cased, and none stands for no origin", () => {
  const origins = (text: string) => [...configOf(["--agent-origins", text]).agentOrigins];
  expect(origins("https://A.example:8443, moz-extension://abc")).toEqual([
    "https://a.example:8443",
    "moz-extension://abc",
  ]);
  expect(origins("none")).toEqual([]);
});

test("fallbacks are models separated by commas for each model, and a repeated flag adds a model", () => {
  const { fallbacks } = configOf(["--fallback", "llama3.3=qwen3, gpt-5-mini", "--fallback=a:7b=b; c = d"]);
  expect(fallbacks).toEqual({ "llama3.3": ["qwen3", "gpt-5-mini"], "a:7b": ["b"], c: ["d"] });
});

test.each([
  ["without a model", "=b"],
  ["without other models", "a="],
  ["without an equals sign", "a"],
  ["with two equals signs", "a=b=c"],
  ["with an empty name", "a=b,"],
  ["of a model to itself", "a=b,a"],
  ["with the same model twice", "a=b,b"],
  ["with two lists for a model", "a=b;a=c"],
  ["with more than 16 models", `a=${Array.from({ length: 17 }, (_, index) => `m${index}`)}`],
  ["with a control character", "a=b\u0007"],
])("a fallback %s is refused", (_, text) => {
  expect(() => configOf(["--fallback", text])).toThrow("Give model=other,another once for each model");
});

test("a key keeps its blanks and its letters", () => {
  expect(readServerArgs({ args: ["1", "clé with blanks ✓"], env: {} }).config.adminKey).toBe(
    "clé with blanks ✓",
  );
});

test.each([
  ["https://chat.example.com", "https://chat.example.com"],
  ["HTTPS://Chat.Example.com:443/", "https://chat.example.com"],
  ["http://chat.lan:80", "http://chat.lan"],
  ["http://192.0.2.7:8080", "http://192.0.2.7:8080"],
  ["https://[fd00::5]:8443", "https://[fd00::5]:8443"],
  ["https://bücher.example", "https://xn--bcher-kva.example"],
])("the public URL %s is read as %s", (text, url) => {
  expect(configOf(["--public-url", text]).publicUrl).toBe(url);
});

test.each([
  ...["chat.example.com", "ws://chat.example.com", "https://", "https:///", "https:chat.example.com"],
  ...["https://chat.example.com/api", "https://chat.example.com?a", "https://chat.example.com#a"],
  ...["https://user:word@chat.example.com", "https://chat.example.com:99999", "https://a b"],
  ...["https://$(reboot).example", "https://a'b.example", "https://a;b", "https://a&b", "https://`a`"],
  ...["https://a\u001b[2J", `https://${"a".repeat(254)}`, "https://1.2.3.4.5", ""],
])("the public URL %j is refused", (text) => {
  expect(() => configOf([`--public-url=${text}`])).toThrow("Give a scheme and a host");
});

test("the public URL may be in PUBLIC_URL, and a fault of it shows no password", () => {
  const read = (env: Record<string, string>) => readServerArgs({ args: ["8080", "key"], env }).config;
  expect(read({ PUBLIC_URL: "https://a.example" }).publicUrl).toBe("https://a.example");
  const both = { PUBLIC_URL: "https://a.example", CHATGPT_API_PUBLIC_URL: "https://b.example" };
  expect(read(both).publicUrl).toBe("https://b.example");
  const failure = () => read({ PUBLIC_URL: "https://me:secret-word@a.example" });
  expect(failure).toThrow(/^PUBLIC_URL "https:\/\/\*\*\*@a\.example" is not valid\./);
});

test("an alias or a fallback of a model named __proto__ is refused, and one named constructor is not", () => {
  for (const args of [
    ["--model-alias", "a=b,__proto__=c"],
    ["--fallback", "a=b;__proto__=c"],
  ])
    expect(() => configOf(args)).toThrow("__proto__ cannot be the name of a model or an alias.");
  expect(configOf(["--model-alias", "constructor=prototype"]).modelAliases).toEqual({
    constructor: "prototype",
  });
});
