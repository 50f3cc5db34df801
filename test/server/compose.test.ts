import { expect, test } from "bun:test";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../../src/errors.ts";
import { firefoxAgent } from "../support/agents.ts";
import { ADMIN_KEY, startTestServer } from "../support/server.ts";
import { failureOf, tempFolder } from "../support/store.ts";

test("a port in use is reported in one line, and the data folder is released", async () => {
  const taken = Bun.serve({ port: 0, fetch: () => new Response() });
  const data = tempFolder();
  try {
    const failure = await failureOf(() => startTestServer([], { data, port: taken.port ?? 0 }));
    expect(failure).toBeInstanceOf(CommandError);
    const { message, exitCode } = failure as CommandError;
    expect(message).toContain(`port ${taken.port}`);
    expect([message.includes("\n"), exitCode]).toEqual([false, 1]);
  } finally {
    await taken.stop(true);
  }
  await startTestServer([], { data });
});

test("a start removes what a killed restore has left behind", async () => {
  const first = await startTestServer();
  await first.stop();
  const left = join(first.data, "restore-0123456789ab.part");
  mkdirSync(left);
  writeFileSync(join(left, "seal.key"), "a secret");
  await startTestServer([], { data: first.data });
  expect(existsSync(left)).toBe(false);
});

test("only their owner can read the files with secrets", async () => {
  const { data } = await startTestServer();
  for (const name of ["agent.key", "seal.key", "server.db"]) {
    expect((statSync(join(data, name)).mode & 0o777).toString(8), name).toBe("600");
  }
});

test("the generated agent key stays the same at the next start, and a configured one is not written to a file", async () => {
  const first = await startTestServer();
  await first.stop();
  const second = await startTestServer([], { data: first.data });
  expect(second.agentKey).toBe(first.agentKey);
  const set = await startTestServer(["--agent-key", "set-by-the-operator"]);
  expect(set.agentKey).toBe("set-by-the-operator");
  expect(existsSync(join(set.data, "agent.key"))).toBe(false);
});

test("stopping twice stops once, and leaves no timer, request or slot behind", async () => {
  const server = await startTestServer();
  const agent = await firefoxAgent(server.url);
  const response = await fetch(`${server.url}/api/ask`, {
    method: "POST",
    headers: { authorization: ADMIN_KEY },
    body: '{"content":"hi"}',
  });
  expect(response.status).toBe(200);
  await Promise.all([server.stop(), server.stop()]);
  expect(await agent.ended).toMatchObject({ code: 4000 });
  const stopped = server
    .logged()
    .split("\n")
    .filter((line) => line.includes('"stopped"'));
  expect(stopped.length).toBe(1);
  expect(JSON.parse(stopped[0] ?? "")).toMatchObject({
    agents: 0,
    asks_waiting: 0,
    asks_running: 0,
    slots_in_use: 0,
    timers: 0,
  });
});

test("a stopping server finishes running requests and asks new ones to retry", async () => {
  const server = await startTestServer();
  const { promise: mayAnswer, resolve: letAnswer } = Promise.withResolvers<void>();
  const agent = await firefoxAgent(server.url, {
    answer: async () => {
      await mayAnswer;
      return { content: "in time" };
    },
  });
  const ask = () =>
    fetch(`${server.url}/api/ask`, {
      method: "POST",
      headers: { authorization: ADMIN_KEY },
      body: '{"content":"hi"}',
    });
  const running = ask();
  await agent.nextRequest();
  const stopped = server.stop();
  const refused = await ask();
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "10"]);
  expect(await refused.json()).toEqual({ error: "Server is shutting down" });
  letAnswer();
  expect(await (await running).json()).toMatchObject({ content: "in time" });
  await stopped;
  expect(agent.notices.map(({ message }) => message)).toEqual(["drain"]);
});

test("a drain that takes too long ends at its limit, and the caller gets an error", async () => {
  const server = await startTestServer(["--drain", "100ms"]);
  const agent = await firefoxAgent(server.url, { answer: () => "silent" });
  const running = fetch(`${server.url}/api/ask`, {
    method: "POST",
    headers: { authorization: ADMIN_KEY },
    body: '{"content":"hi"}',
  });
  await agent.nextRequest();
  await server.stop();
  expect((await running).status).toBe(503);
});
