import { describe, expect, test } from "bun:test";
import { readServerAddress } from "../../../../../src/builtin-agent/server-address.ts";
import type { SettingsAnswer } from "../../../../../src/dashboard/api/types.ts";
import { arrivedAgents } from "../../../../../src/dashboard/pages/agents/join/expected-agent.ts";
import {
  joinLine,
  SOURCES,
  type SourceKind,
  UPSTREAM_KEY_SAMPLE,
} from "../../../../../src/dashboard/pages/agents/join/join-line.ts";
import {
  isLoopbackHost,
  joinRules,
  readServer,
  type ServerAddress,
  upstreamFault,
} from "../../../../../src/dashboard/pages/agents/join/server-address.ts";
import { shellQuote } from "../../../../../src/dashboard/shell-quote.ts";
import { agentOf } from "../../../../support/dashboard-agents.ts";

const KEY = "agent-Zm9v_YmFy-1";
const PLAIN: ServerAddress = { isSecure: false, host: "chat.example.com:8080" };
const SECURE: ServerAddress = { isSecure: true, host: "chat.example.com" };
const IPV6: ServerAddress = { isSecure: false, host: "[2001:db8::1]:8080" };

describe("the line to paste", () => {
  test.each<[SourceKind, string, string]>([
    ["ollama", "http://localhost:11434", "--upstream http://localhost:11434"],
    ["llama-cpp", "http://localhost:8080", "--upstream http://localhost:8080"],
    ["vllm", "http://localhost:8000", "--upstream http://localhost:8000"],
    ["lm-studio", "http://localhost:1234", "--upstream http://localhost:1234"],
    ["api", "https://api.example.com/v1", "--upstream https://api.example.com/v1"],
  ])("for %s runs the executable before its model server", (kind, upstream, flags) => {
    expect(SOURCES.find((choice) => choice.kind === kind)?.upstream).toBe(upstream);
    expect(joinLine({ kind, server: PLAIN, key: KEY, upstream })).toBe(
      `./chatgpt-api-server agent http://chat.example.com:8080/agents/${KEY} ${flags}`,
    );
    expect(joinLine({ kind, server: SECURE, key: KEY, upstream })).toBe(
      `./chatgpt-api-server agent https://chat.example.com/agents/${KEY} ${flags}`,
    );
  });

  test("for an echo names no model server", () => {
    expect(joinLine({ kind: "echo", server: PLAIN, key: undefined })).toBe(
      "./chatgpt-api-server agent http://chat.example.com:8080 --echo",
    );
  });

  test("has the place of the API's key, which does not go through this page", () => {
    const options = {
      kind: "api",
      server: SECURE,
      key: KEY,
      upstream: "https://api.example.com/v1",
    } as const;
    expect(joinLine({ ...options, hasUpstreamKey: true })).toBe(
      `UPSTREAM_KEY=${UPSTREAM_KEY_SAMPLE} ./chatgpt-api-server agent https://chat.example.com/agents/${KEY} --upstream https://api.example.com/v1`,
    );
    expect(joinLine({ ...options, hasUpstreamKey: true, by: "docker" })).toContain(
      ` -e AGENT_KEY=${KEY} -e UPSTREAM_KEY=${UPSTREAM_KEY_SAMPLE} chatgpt-api-server agent https://chat.example.com --upstream`,
    );
  });

  test("for Docker has the key in the environment, and no health check of a server that is not there", () => {
    const line = joinLine({
      kind: "ollama",
      server: SECURE,
      key: KEY,
      upstream: "http://localhost:11434",
      by: "docker",
    });
    expect(line).toBe(
      `docker run -d --restart unless-stopped --network host --no-healthcheck -e AGENT_KEY=${KEY} chatgpt-api-server agent https://chat.example.com --upstream http://localhost:11434`,
    );
  });

  test("for Firefox is an endpoint without scheme, and there is none by TLS, which the extension does not speak", () => {
    expect(joinLine({ kind: "firefox", server: PLAIN, key: KEY })).toBe(
      `chat.example.com:8080/agents/${KEY}`,
    );
    expect(joinLine({ kind: "firefox", server: IPV6, key: KEY })).toBe(`[2001:db8::1]:8080/agents/${KEY}`);
    expect(joinLine({ kind: "firefox", server: PLAIN, key: undefined })).toBe("chat.example.com:8080");
    expect(joinLine({ kind: "firefox", server: SECURE, key: KEY })).toBeUndefined();
  });

  test.each(["python", "own"] as const)("for %s is a whole WebSocket address, wss by TLS", (kind) => {
    expect(joinLine({ kind, server: PLAIN, key: KEY })).toBe(
      `ws://chat.example.com:8080/agents/${KEY}/client/register`,
    );
    expect(joinLine({ kind, server: SECURE, key: KEY })).toBe(
      `wss://chat.example.com/agents/${KEY}/client/register`,
    );
    expect(joinLine({ kind, server: PLAIN, key: undefined })).toBe(
      "ws://chat.example.com:8080/client/register",
    );
  });

  test("is one that the built-in agent reads as it was meant, whatever is in the key", () => {
    for (const key of [KEY, "it's (my) *key*!", "a/b?c#d e%", "ключ"]) {
      for (const server of [PLAIN, SECURE, IPV6]) {
        const words = wordsOf(joinLine({ kind: "echo", server, key }) ?? "");
        expect(words.slice(0, 2)).toEqual(["./chatgpt-api-server", "agent"]);
        expect(readServerAddress(words[2] ?? "")).toEqual({
          url: `${server.isSecure ? "wss" : "ws"}://${server.host}/client/register`,
          shown: `${server.isSecure ? "wss" : "ws"}://${server.host}`,
          key,
        });
      }
    }
  });

  test("is quoted where a shell would take it otherwise", () => {
    expect(shellQuote("http://a.example:8080/agents/x_y-z")).toBe("http://a.example:8080/agents/x_y-z");
    expect(shellQuote("http://[::1]:8080")).toBe("'http://[::1]:8080'");
    expect(wordsOf(shellQuote("it's; $HOME `x`"))).toEqual(["it's; $HOME `x`"]);
    expect(wordsOf(shellQuote(""))).toEqual([""]);
  });
});

describe("the server's address", () => {
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
  ])("%p is understood", (typed, isSecure, address) => {
    expect(readServer(typed, { isSecure })).toEqual(address);
  });

  test.each([
    "",
    "  ",
    "http://",
    "ftp://a.example",
    "a b",
    "a%20b",
    "user:pass@a.example",
    "a.example:99999",
  ])("%p is none", (typed) => {
    expect(readServer(typed, { isSecure: false })).toBeUndefined();
  });

  test("of this machine is told from others", () => {
    for (const host of ["localhost:8080", "127.0.0.1", "127.3.2.1:80", "[::1]:8080", "[::1]", "LOCALHOST"])
      expect(isLoopbackHost({ isSecure: false, host })).toBe(true);
    for (const host of ["localhost.example:8080", "10.0.0.7:8080", "[fd00::1]:8080", "127.0.0.1.example"])
      expect(isLoopbackHost({ isSecure: false, host })).toBe(false);
  });
});

describe("the model server's address", () => {
  test("is refused where it is this server, as the agent would", () => {
    const here: ServerAddress = { isSecure: false, host: "127.0.0.1:8080" };
    expect(upstreamFault("http://localhost:8080", here)).toContain("this server's own");
    expect(upstreamFault("http://localhost:8081", here)).toBeUndefined();
    expect(
      upstreamFault("https://localhost:8080", { isSecure: true, host: "chat.example.com" }),
    ).toBeUndefined();
    expect(upstreamFault("https://chat.example.com/v1", SECURE)).toContain("this server's own");
  });

  test("needs its scheme", () => {
    for (const upstream of ["localhost:8000", "", "http://", "ftp://a.example"])
      expect(upstreamFault(upstream, PLAIN)).toContain("scheme");
  });
});

describe("the server's own machine", () => {
  const page = { isSecure: false, host: "127.0.0.1:8931" };

  test("needs no key by default, at the port that the server has", () => {
    expect(joinRules(settings({}), page)).toEqual({
      isOpen: false,
      own: { isSecure: false, host: "127.0.0.1:8080" },
      isLocalOnly: false,
    });
    expect(joinRules(settings({ port: "0" }), page).own?.host).toBe("127.0.0.1:8931");
    expect(joinRules(settings({ port: "80" }), page).own?.host).toBe("127.0.0.1");
    expect(joinRules(settings({ host: "::1" }), page)).toMatchObject({
      own: { host: "[::1]:8080" },
      isLocalOnly: true,
    });
    expect(joinRules(settings({ host: "0.0.0.0" }), page).own?.host).toBe("127.0.0.1:8080");
  });

  test.each([
    { agentKey: "***" },
    { trustProxy: "loopback" },
    { tlsCert: "/etc/cert.pem" },
    { host: "10.0.0.7" },
    { agents: "open", tlsCert: "/etc/cert.pem" },
  ])("is as any other where %p", (given) => {
    expect(joinRules(settings(given), page).own).toBeUndefined();
  });

  test("needs none with --agents open either, as nobody does", () => {
    expect(joinRules(settings({ agents: "open", agentKey: "***" }), page)).toMatchObject({
      isOpen: true,
      own: { host: "127.0.0.1:8080" },
    });
  });
});

describe("the agent that is awaited", () => {
  const here = [
    agentOf({ id: "1", key: "main" }),
    agentOf({ id: "2", key: null }),
    agentOf({ id: "3", key: "ollama" }),
  ];
  const ids = (agents: typeof here) => agents.map(({ id }) => id);

  test("is one that shows the key that was made for it", () => {
    expect(ids(arrivedAgents(here, { keyName: "ollama", before: new Set() }))).toEqual(["3"]);
  });

  test("without a key is one that shows none and was not here before", () => {
    expect(ids(arrivedAgents(here, { keyName: null, before: new Set() }))).toEqual(["2"]);
    expect(ids(arrivedAgents(here, { keyName: null, before: new Set(["1", "2"]) }))).toEqual([]);
  });

  test("with a key that was there already is any that was not here before", () => {
    expect(ids(arrivedAgents(here, { keyName: undefined, before: new Set(["1", "2"]) }))).toEqual(["3"]);
  });
});

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

/** As a real shell takes the line apart. */
function wordsOf(line: string): string[] {
  const { stdout } = Bun.spawnSync(["sh", "-c", `printf '%s\\0' ${line}`]);
  return stdout.toString().split("\0").slice(0, -1);
}
