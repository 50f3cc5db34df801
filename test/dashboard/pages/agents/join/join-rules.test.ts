import { expect, test } from "bun:test";
import type { SettingsAnswer } from "../../../../../src/dashboard/api/types.ts";
import { isKeyNeeded, joinRules } from "../../../../../src/dashboard/pages/agents/join/join-rules.ts";

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
    Object.entries(values).map(([name, value]) => [
      name,
      { value, from: "default", label: name, about: "", changeable: false },
    ]),
  );
}

test("an agent on the server's machine uses the server's port, and needs a key by default", () => {
  expect(joinRules(settings({}), PAGE)).toEqual({
    keyless: "none",
    localAddress: { isSecure: false, host: "127.0.0.1:8080" },
    isLocalOnly: false,
    isCluster: false,
  });
  expect(joinRules(settings({ nats: "***" }), PAGE).isCluster).toBe(true);
  expect(joinRules(settings({ port: "0" }), PAGE).localAddress?.host).toBe("127.0.0.1:8931");
  expect(joinRules(settings({ port: "80" }), PAGE).localAddress?.host).toBe("127.0.0.1");
  expect(joinRules(settings({ host: "::1" }), PAGE)).toMatchObject({
    localAddress: { host: "[::1]:8080" },
    isLocalOnly: true,
  });
  expect(joinRules(settings({ host: "0.0.0.0" }), PAGE).localAddress?.host).toBe("127.0.0.1:8080");
});

test.each([{ tlsCert: "/etc/cert.pem" }, { host: "10.0.0.7" }, { agents: "open", tlsCert: "/etc/cert.pem" }])(
  "with the settings %j, an agent on the server's machine connects like any other",
  (given) => {
    expect(joinRules(settings(given), PAGE).localAddress).toBeUndefined();
  },
);

test.each([
  [{}, "firefox", true, true],
  [{}, "ollama", true, true],
  [{ agents: "local" }, "ollama", true, false],
  [{ agents: "local" }, "firefox", true, true],
  [{ agents: "local" }, "ollama", false, true],
  [{ agents: "local", trustProxy: "loopback" }, "ollama", true, true],
  [{ agents: "open" }, "firefox", true, false],
  [{ agents: "open", agentKey: "***", trustProxy: "loopback" }, "ollama", false, false],
] as const)(
  "with the settings %j, whether a %s agent needs a key is known (on the server: %p): %p",
  (given, kind, isOnServer, expected) => {
    expect(isKeyNeeded(joinRules(settings(given), PAGE), kind, isOnServer)).toBe(expected);
  },
);
