import { expect, test } from "bun:test";
import { readServerAddress } from "../../../../../src/builtin-agent/server/server-address.ts";
import {
  joinLine,
  SOURCES,
  type SourceKind,
  UPSTREAM_KEY_SAMPLE,
} from "../../../../../src/dashboard/pages/agents/join/join-line.ts";
import type { ServerAddress } from "../../../../../src/dashboard/pages/agents/join/server-address.ts";
import { shellWords } from "../../../../support/shell-words.ts";

const KEY = "agent-Zm9v_YmFy-1";
const PLAIN: ServerAddress = { isSecure: false, host: "chat.example.com:8080" };
const SECURE: ServerAddress = { isSecure: true, host: "chat.example.com" };
const IPV6: ServerAddress = { isSecure: false, host: "[2001:db8::1]:8080" };

test.each<[SourceKind, string, string]>([
  ["ollama", "http://localhost:11434", "--upstream http://localhost:11434"],
  ["llama-cpp", "http://localhost:8080", "--upstream http://localhost:8080"],
  ["vllm", "http://localhost:8000", "--upstream http://localhost:8000"],
  ["lm-studio", "http://localhost:1234", "--upstream http://localhost:1234"],
  ["api", "https://api.example.com/v1", "--upstream https://api.example.com/v1"],
])("the line for %s runs the executable in front of the model server at %s", (kind, upstream, flags) => {
  expect(SOURCES.find((source) => source.kind === kind)?.upstream).toBe(upstream);
  expect(joinLine({ kind, server: PLAIN, key: KEY, upstream })).toBe(
    `./chatgpt-api-server agent http://chat.example.com:8080/agents/${KEY} ${flags}`,
  );
  expect(joinLine({ kind, server: SECURE, key: KEY, upstream })).toBe(
    `./chatgpt-api-server agent https://chat.example.com/agents/${KEY} ${flags}`,
  );
});

test("the line for an echo agent names no model server", () => {
  expect(joinLine({ kind: "echo", server: PLAIN, key: undefined })).toBe(
    "./chatgpt-api-server agent http://chat.example.com:8080 --echo",
  );
});

test("the line for an API contains a placeholder for the API's key, which is not typed on the page", () => {
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

test("the line for Docker passes the key in the environment and turns the server's health check off", () => {
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

test("the line for Firefox is an endpoint without a scheme, and there is none for a server with TLS", () => {
  expect(joinLine({ kind: "firefox", server: PLAIN, key: KEY })).toBe(`chat.example.com:8080/agents/${KEY}`);
  expect(joinLine({ kind: "firefox", server: IPV6, key: KEY })).toBe(`[2001:db8::1]:8080/agents/${KEY}`);
  expect(joinLine({ kind: "firefox", server: PLAIN, key: undefined })).toBe("chat.example.com:8080");
  expect(joinLine({ kind: "firefox", server: SECURE, key: KEY })).toBeUndefined();
});

test.each(["python", "own"] as const)("the line for %s is a WebSocket address, with wss for TLS", (kind) => {
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

test("the built-in agent reads the address in the line as it was meant, whatever the key contains", () => {
  for (const key of [KEY, "it's (my) *key*!", "a/b?c#d e%", "ключ"]) {
    for (const server of [PLAIN, SECURE, IPV6]) {
      const words = shellWords(joinLine({ kind: "echo", server, key }) ?? "");
      expect(words.slice(0, 2)).toEqual(["./chatgpt-api-server", "agent"]);
      expect(readServerAddress(words[2] ?? "")).toEqual({
        url: `${server.isSecure ? "wss" : "ws"}://${server.host}/client/register`,
        label: `${server.isSecure ? "wss" : "ws"}://${server.host}`,
        key,
      });
    }
  }
});

test("the line for Windows is one of PowerShell, whose quotes are doubled", () => {
  const line = (given: object) =>
    joinLine({ kind: "api", server: SECURE, key: KEY, by: "windows", ...given }) ?? "";
  expect(line({ upstream: "https://api.example.com/v1", hasUpstreamKey: true })).toBe(
    `$env:UPSTREAM_KEY='sk-your-key'; .\\chatgpt-api-server.exe agent https://chat.example.com/agents/${KEY} --upstream https://api.example.com/v1`,
  );
  expect(line({ upstream: "http://a/it's $(x)" })).toEndWith(" --upstream 'http://a/it''s $(x)'");
});
