import { describe, expect, test } from "bun:test";
import { admit, plainAddress, type RegistrationRules } from "../../src/agents/upgrade.ts";
import { AppError } from "../../src/errors.ts";

const KEYED: RegistrationRules = {
  agents: "keyed",
  isAgentKey: (candidate) => candidate === "agent-key",
  keyAlways: false,
  origins: ["null", "https://chat.openai.com", "https://chatgpt.com"],
};

interface Try {
  address?: string;
  headers?: Record<string, string>;
  pathKey?: string;
}

function outcome(
  { address = "127.0.0.1", headers = {}, pathKey }: Try,
  rules: Partial<RegistrationRules> = {},
) {
  try {
    const { trusted } = admit({ address, headers: new Headers(headers), pathKey }, { ...KEYED, ...rules });
    return trusted ? "trusted" : "admitted";
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect(error.hint).toBeDefined();
    return error.code;
  }
}

describe("who may register", () => {
  test.each<[string, Try, string]>([
    ["a program on this machine", {}, "admitted"],
    ["one that came by IPv6", { address: "::1" }, "admitted"],
    ["another address of the loopback range", { address: "127.8.8.8" }, "admitted"],
    ["the Firefox agent", { headers: { origin: "null" } }, "admitted"],
    ["the page of the ChatGPT web site", { headers: { origin: "https://chatgpt.com" } }, "admitted"],
    ["an extension's own page", { headers: { origin: "moz-extension://x" } }, "admitted"],
    ["a page of another web site", { headers: { origin: "https://evil.example" } }, "agent_origin_refused"],
    [
      "a look-alike site",
      { headers: { origin: "https://chatgpt.com.evil.example" } },
      "agent_origin_refused",
    ],
    ["a page on this machine", { headers: { origin: "http://localhost:3000" } }, "agent_origin_refused"],
    ["a page from a file", { headers: { origin: "file://" } }, "agent_origin_refused"],
    ["another machine", { address: "192.168.0.7" }, "agent_key_required"],
    ["another machine that looks like this one", { address: "1.127.0.0" }, "agent_key_required"],
    ["a connection without an address", { address: "" }, "agent_key_required"],
    ["a proxy on this machine", { headers: { "x-forwarded-for": "127.0.0.1" } }, "agent_key_required"],
    ["a proxy that names itself only", { headers: { via: "1.1 caddy" } }, "agent_key_required"],
    ["another machine with the key in the path", { address: "10.0.0.1", pathKey: "agent-key" }, "trusted"],
    [
      "another machine with the key in the header",
      { address: "10.0.0.1", headers: { authorization: "Bearer agent-key" } },
      "trusted",
    ],
    [
      "a page of another site with the key",
      { pathKey: "agent-key", headers: { origin: "https://my.example" } },
      "trusted",
    ],
    ["a wrong key in the path", { pathKey: "guess" }, "agent_key_wrong"],
    ["a wrong key in the header", { headers: { authorization: "Bearer guess" } }, "agent_key_wrong"],
    ["an empty key", { pathKey: "" }, "agent_key_wrong"],
  ])("%s", (_, attempt, expected) => {
    expect(outcome(attempt)).toBe(expected);
  });

  test("with an agent key set by the operator, this machine needs it too", () => {
    expect(outcome({}, { keyAlways: true })).toBe("agent_key_required");
    expect(outcome({ pathKey: "agent-key" }, { keyAlways: true })).toBe("trusted");
  });

  test("taking `null` off the list shuts out pages in sandboxed frames", () => {
    const origins = ["https://chatgpt.com"];
    expect(outcome({ headers: { origin: "null" } }, { origins })).toBe("agent_origin_refused");
  });

  test("open lets in whoever the reference lets in, but trusts only the key", () => {
    const open = { agents: "open" as const };
    expect(outcome({ address: "8.8.8.8", headers: { origin: "https://evil.example" } }, open)).toBe(
      "admitted",
    );
    expect(outcome({ pathKey: "guess" }, open)).toBe("admitted");
    expect(outcome({ pathKey: "agent-key" }, open)).toBe("trusted");
  });
});

test("an IPv4 address is the same on a socket for both families", () => {
  expect(["::ffff:10.0.0.1", "10.0.0.1", "::1", undefined].map(plainAddress)).toEqual([
    "10.0.0.1",
    "10.0.0.1",
    "::1",
    undefined,
  ]);
});
