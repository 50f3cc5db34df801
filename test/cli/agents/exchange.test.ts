import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findAgentKey, readPairTarget } from "../../../src/cli/agents/exchange.ts";
import { keptKeys } from "../../../src/cli/agents/kept-keys.ts";
import { CommandError } from "../../../src/errors.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { failureOf, tempFolder } from "../../support/store.ts";

async function scene() {
  const server = await startTestServer();
  const data = join(tempFolder(), "agent");
  const printed: string[] = [];
  const post = (path: string, body: object) =>
    fetch(`${server.url}/admin/${path}`, {
      method: "POST",
      headers: { authorization: ADMIN_KEY },
      body: JSON.stringify(body),
    });
  const make = async (fields: object = {}): Promise<string> =>
    ((await (await post("agents/pairings", fields)).json()) as { code: string }).code;
  const find = (address: string, code?: string, given?: string, name?: string) =>
    findAgentKey({
      ...readPairTarget(address, code, {}),
      ...{ given, data, name },
      print: (line) => void printed.push(line),
    });
  return { server, data, printed, make, find };
}

test("a code is exchanged once; later starts find the key, with the same code or without one", async () => {
  const { server, data, printed, make, find } = await scene();
  const code = await make();
  const { key, file = "" } = await find(server.url, code, undefined, "desk");
  expect(key).toStartWith("agent-");
  const label = server.url.replace("http", "ws");
  expect(printed).toEqual([`paired with ${label} as desk; the key is kept in ${file}`]);
  expect(file).toStartWith(data);
  expect(readFileSync(file, "utf8")).not.toContain(code.replace("-", ""));
  expect(await find(server.url, code.toLowerCase())).toEqual({ key, file });
  expect(await find(server.url)).toEqual({ key, file });
  expect(await find(`${server.url}/pair#${code}`)).toEqual({ key, file });
  expect(printed).toHaveLength(1);
});

test("a link has the code, and another code replaces the kept key", async () => {
  const { server, make, find } = await scene();
  const first = await find(`${server.url}/pair#${await make()}`);
  const second = await find(`${server.url}/pair/#${await make()}`);
  expect(second.key).not.toBe(first.key);
  expect((await find(server.url)).key).toBe(second.key);
});

test("a code that the server refuses is an error that says what to do, and the kept key stays", async () => {
  const { server, make, find } = await scene();
  const { key } = await find(server.url, await make());
  const error = (await failureOf(() => find(server.url, "0000-0000"))) as CommandError;
  expect(error).toBeInstanceOf(CommandError);
  expect(error.message).toContain(
    "the pairing code was refused (401): Invalid pairing code. A code works once",
  );
  expect((await find(server.url)).key).toBe(key);
});

test("a server that is away, or another program at its address, is an error that says so", async () => {
  const { find, data } = await scene();
  const away = (await failureOf(() => find("127.0.0.1:1", "0000-0000"))) as CommandError;
  expect(away.message).toStartWith("ws://127.0.0.1:1: ");
  const other = Bun.serve({ port: 0, fetch: () => new Response("hello", { status: 404 }) });
  const wrong = (await failureOf(() => find(`127.0.0.1:${other.port}`, "0000-0000"))) as CommandError;
  await other.stop(true);
  expect(wrong.message).toContain("Is that a chatgpt-api-server of this version?");
  expect(keptKeys(data, "ws://127.0.0.1:1").read()).toBeUndefined();
});

test("an answer without a key is refused", async () => {
  const { find } = await scene();
  const other = Bun.serve({ port: 0, fetch: () => Response.json({ key: 5 }) });
  const error = (await failureOf(() => find(`127.0.0.1:${other.port}`, "0000-0000"))) as CommandError;
  await other.stop(true);
  expect(error.message).toContain("cannot be read");
});

test("a given key wins over a kept one, and excludes a code", async () => {
  const { server, make, find } = await scene();
  await find(server.url, await make());
  expect(await find(server.url, undefined, "given-key")).toEqual({ key: "given-key" });
  expect(await find(`${server.url}/agents/in-path`)).toEqual({ key: "in-path" });
  const error = (await failureOf(() => find(server.url, "0000-0000", "given-key"))) as CommandError;
  expect([error.exitCode, error.message]).toEqual([
    2,
    "A pairing code is exchanged for a key, and there is a key already. Give one of them.",
  ]);
});

test.each([
  ["host/pair#0000-0000", "0000-0000", "The address is a link"],
  ["host", "0000", "The pairing code is not valid"],
  ["host/pair#", undefined, "The pairing code is not valid"],
  ["host/other#0000-0000", undefined, "Give the server's address without"],
])("the address %s with the code %p is refused", async (address, code, message) => {
  const error = (await failureOf(() => readPairTarget(address, code, {}))) as CommandError;
  expect(error.exitCode).toBe(2);
  expect(error.message).toStartWith(message);
});

test("a link of a server behind a path keeps the path", () => {
  expect(readPairTarget("https://host/api/pair#7f4k-q2px", undefined, {})).toMatchObject({
    server: { label: "wss://host/api" },
    code: "7F4KQ2PX",
  });
});
