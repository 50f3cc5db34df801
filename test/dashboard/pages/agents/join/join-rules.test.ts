import { expect, test } from "bun:test";
import type { SettingsAnswer } from "../../../../../src/dashboard/api/types.ts";
import { joinRules } from "../../../../../src/dashboard/pages/agents/join/join-rules.ts";

const PAGE = { isSecure: false, host: "127.0.0.1:8931" };

function settings(given: Record<string, string>): SettingsAnswer["settings"] {
  const values = {
    port: "8080",
    host: "(every address)",
    agents: "keyed",
    agentKey: "(generated)",
    trustProxy: "(none)",
    tlsCert: "(none)",
    ...given,
  };
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { value, from: "default", label: name, about: "" }]),
  );
}

test("an agent on the server's machine needs no key by default, and uses the server's port", () => {
  expect(joinRules(settings({}), PAGE)).toEqual({
    isOpen: false,
    localAddress: { isSecure: false, host: "127.0.0.1:8080" },
    isLocalOnly: false,
  });
  expect(joinRules(settings({ port: "0" }), PAGE).localAddress?.host).toBe("127.0.0.1:8931");
  expect(joinRules(settings({ port: "80" }), PAGE).localAddress?.host).toBe("127.0.0.1");
  expect(joinRules(settings({ host: "::1" }), PAGE)).toMatchObject({
    localAddress: { host: "[::1]:8080" },
    isLocalOnly: true,
  });
  expect(joinRules(settings({ host: "0.0.0.0" }), PAGE).localAddress?.host).toBe("127.0.0.1:8080");
});

test.each([
  { agentKey: "***" },
  { trustProxy: "loopback" },
  { tlsCert: "/etc/cert.pem" },
  { host: "10.0.0.7" },
  { agents: "open", tlsCert: "/etc/cert.pem" },
])("with the settings %j, an agent on the server's machine connects like any other", (given) => {
  expect(joinRules(settings(given), PAGE).localAddress).toBeUndefined();
});

test("with --agents open, no agent needs a key", () => {
  expect(joinRules(settings({ agents: "open", agentKey: "***" }), PAGE)).toMatchObject({
    isOpen: true,
    localAddress: { host: "127.0.0.1:8080" },
  });
});
