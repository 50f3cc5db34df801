import { describe, expect, test } from "bun:test";
import { admit, type RegistrationRules, shownKey } from "../../src/agents/admission.ts";
import { AppError } from "../../src/errors.ts";
import { createOwnHosts } from "../../src/net/host.ts";
import { agentKeyOf } from "../support/agent-key.ts";

const LOCAL: RegistrationRules = {
  agents: "local",
  origins: ["null", "https://chat.openai.com", "https://chatgpt.com"],
  isOwnHost: createOwnHosts(["my-box"]),
};

interface Try {
  address?: string;
  isForwarded?: boolean;
  headers?: Record<string, string>;
  pathKey?: string;
}

const MAIN = agentKeyOf({});
const OWN = agentKeyOf({ id: "k1", name: "gpu box", models: ["m"] });

/** Returns what the look-up of a key finds in these tests. */
function find(shown: string | undefined) {
  if (shown === "agent-key") return MAIN;
  if (shown === "own-key") return OWN;
  if (shown === "old-key") return "revoked";
  return shown === undefined ? undefined : "unknown";
}

function outcome(
  { address = "127.0.0.1", isForwarded = false, headers = {}, pathKey }: Try,
  rules: Partial<RegistrationRules> = {},
) {
  const given = new Headers({ host: "localhost:8080", ...headers });
  const key = find(shownKey(given, pathKey));
  try {
    const by = admit({ address, isForwarded, headers: given, key }, { ...LOCAL, ...rules });
    expect(by).toBe(typeof key === "object" ? key : undefined);
    return by ? `with ${by.name}` : "keyless";
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect(error.hint).toBeDefined();
    return error.code;
  }
}

describe("who may register", () => {
  test.each<[string, Try, string]>([
    ["a program on this machine", {}, "keyless"],
    ["a program on this machine that connects by IPv6", { address: "::1" }, "keyless"],
    ["a program on another loopback address", { address: "127.8.8.8" }, "keyless"],
    [
      "the Firefox agent, which sends the origin of sandboxed pages",
      { headers: { origin: "null" } },
      "agent_origin_refused",
    ],
    ["the Firefox agent with the key", { pathKey: "agent-key", headers: { origin: "null" } }, "with main"],
    ["the page of the ChatGPT web site", { headers: { origin: "https://chatgpt.com" } }, "keyless"],
    ["an extension's own page", { headers: { origin: "moz-extension://x" } }, "keyless"],
    ["a page of another web site", { headers: { origin: "https://evil.example" } }, "agent_origin_refused"],
    [
      "a look-alike site",
      { headers: { origin: "https://chatgpt.com.evil.example" } },
      "agent_origin_refused",
    ],
    [
      "a page served by this machine",
      { headers: { origin: "http://localhost:3000" } },
      "agent_origin_refused",
    ],
    ["a page opened from a file", { headers: { origin: "file://" } }, "agent_origin_refused"],
    ["another machine", { address: "192.168.0.7" }, "agent_key_required"],
    ["another machine whose address contains 127", { address: "1.127.0.0" }, "agent_key_required"],
    ["a connection without an address", { address: "" }, "agent_key_required"],
    ["a proxy on this machine", { isForwarded: true }, "agent_key_required"],
    ["a program that calls the server by address", { headers: { host: "127.0.0.1:8080" } }, "keyless"],
    ["a program that calls the server by IPv6 address", { headers: { host: "[::1]:8080" } }, "keyless"],
    ["a program that calls the server by this machine's name", { headers: { host: "My-Box." } }, "keyless"],
    ["a page whose name was made to point here", { headers: { host: "evil.example:8080" } }, "host_refused"],
    [
      "a page whose name only looks like localhost",
      { headers: { host: "localhost.evil.example" } },
      "host_refused",
    ],
    [
      "a sandboxed page whose name was made to point here",
      { headers: { host: "evil.example", origin: "null" } },
      "host_refused",
    ],
    [
      "a program with the key that calls the server by any name",
      { pathKey: "agent-key", headers: { host: "chat.example.com" } },
      "with main",
    ],
    ["another machine with the key in the path", { address: "10.0.0.1", pathKey: "agent-key" }, "with main"],
    [
      "another machine with the key in the header",
      { address: "10.0.0.1", headers: { authorization: "Bearer agent-key" } },
      "with main",
    ],
    [
      "a page of another site with the key",
      { pathKey: "agent-key", headers: { origin: "https://my.example" } },
      "with main",
    ],
    ["a program with a wrong key in the path", { pathKey: "guess" }, "agent_key_wrong"],
    [
      "a program with a wrong key in the header",
      { headers: { authorization: "Bearer guess" } },
      "agent_key_wrong",
    ],
    ["a program with an empty key", { pathKey: "" }, "agent_key_wrong"],
    ["another machine with its own agent key", { address: "10.0.0.1", pathKey: "own-key" }, "with gpu box"],
    [
      "another machine with its own agent key in the header",
      { address: "10.0.0.1", headers: { authorization: "Bearer own-key" } },
      "with gpu box",
    ],
    [
      "another machine with a revoked key in the path",
      { address: "10.0.0.1", pathKey: "old-key" },
      "agent_key_wrong",
    ],
    [
      "a program with a revoked key in the header",
      { headers: { authorization: "old-key" } },
      "agent_key_wrong",
    ],
    [
      "a program on this machine, which needs no key, with a revoked key",
      { pathKey: "old-key" },
      "agent_key_wrong",
    ],
  ])("the rules of --agents local hold for %s", (_, attempt, expected) => {
    expect(outcome(attempt)).toBe(expected);
  });

  test("by default every agent needs a key, also on this machine", () => {
    const keyed = { agents: "keyed" as const };
    expect(outcome({}, keyed)).toBe("agent_key_required");
    expect(outcome({ headers: { origin: "https://chatgpt.com" } }, keyed)).toBe("agent_key_required");
    expect(outcome({ pathKey: "guess" }, keyed)).toBe("agent_key_wrong");
    expect(outcome({ pathKey: "agent-key" }, keyed)).toBe("with main");
    expect(outcome({ pathKey: "own-key", headers: { origin: "null" } }, keyed)).toBe("with gpu box");
  });

  test("--agents open admits everybody the reference admits, and knows the keys of those that show one", () => {
    const open = { agents: "open" as const };
    expect(outcome({ address: "8.8.8.8", headers: { origin: "https://evil.example" } }, open)).toBe(
      "keyless",
    );
    expect(outcome({ pathKey: "guess" }, open)).toBe("keyless");
    expect(outcome({ pathKey: "agent-key" }, open)).toBe("with main");
    expect(outcome({ pathKey: "own-key" }, open)).toBe("with gpu box");
  });

  test("--agents open refuses a revoked key", () => {
    expect(outcome({ pathKey: "old-key" }, { agents: "open" })).toBe("agent_key_wrong");
  });
});
