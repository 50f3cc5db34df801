import { Database } from "bun:sqlite";
import { expect, onTestFinished, test } from "bun:test";
import { join } from "node:path";
import { readServerArgs } from "../../src/cli/args.ts";
import { DAY_MS } from "../../src/durations.ts";
import { CommandError } from "../../src/errors.ts";
import { createLog } from "../../src/log/log.ts";
import { openSettings } from "../../src/server/settings.ts";
import { ADMIN_KEY, startTestServer } from "../support/server.ts";
import { settingsOf } from "../support/settings.ts";
import { failureOf, openTestFile, openTestStore, tempFolder } from "../support/store.ts";
import { until } from "../support/until.ts";
import { usageRow } from "../support/usage-row.ts";
import { connectV2Agent, V2_HELLO, type V2AgentOptions } from "../support/v2-agent.ts";

/** A server with an agent that offers these models and answers with the name of the model, unless `onAsk` does it. */
async function scene(models: readonly string[], flags: readonly string[] = [], options: V2AgentOptions = {}) {
  const server = await startTestServer(["--drain", "0s", ...flags]);
  const { url } = server;
  const agent = await connectV2Agent(url, {
    hello: {
      ...{ ...V2_HELLO, slots: 1, models: models.map((id) => ({ id })) },
      endpoints: ["chat/completions", "responses", "messages"],
    },
    onAsk: ({ ask, body }, { say }) => {
      const { model } = JSON.parse(body);
      say({ type: "done", ask, status: 200, body: JSON.stringify({ model, choices: [] }) });
    },
    ...options,
  });
  onTestFinished(agent.stop);
  const send = async (path: string, body?: object, key = ADMIN_KEY) => {
    const response = await fetch(url + path, {
      method: body ? "POST" : "GET",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      text: await response.text(),
      agentModel: response.headers.get("x-model"),
    };
  };
  const chat = (model: string, key = ADMIN_KEY) => send("/v1/chat/completions", { model, messages: [] }, key);
  const addUser = async (fields: object) => JSON.parse((await send("/admin/users/add", fields)).text).token;
  return { ...settingsOf(url), server, url, agent, send, chat, addUser };
}

test("an alias counts for the next request of each API and in each list, until it is taken back", async () => {
  const { change, chat, send } = await scene(["llama", "qwen"]);
  const unknown = (await chat("fast")).status;
  const listed = async () => {
    const [openai, ollama, one] = [
      await send("/v1/models"),
      await send("/api/tags"),
      await send("/v1/models/fast"),
    ];
    return [openai.text.includes('"fast"'), ollama.text.includes('"fast'), one.status];
  };
  expect([unknown, await listed()]).toEqual([404, [false, false, 404]]);
  for (const model of ["llama", "qwen"]) {
    await change({ modelAliases: { fast: model } });
    expect((await chat("fast")).agentModel).toBe(model);
    const responses = await send("/v1/responses", { model: "fast", input: "hi" });
    const messages = await send("/v1/messages", {
      model: "fast",
      max_tokens: 5,
      messages: [{ role: "user", content: "hi" }],
    });
    const ask = await send("/api/ask", { model: "fast", content: "hi" });
    expect([responses, messages, ask].map(({ agentModel }) => agentModel)).toEqual([model, model, model]);
    expect(await listed()).toEqual([true, true, 200]);
  }
  await change({ modelAliases: null });
  expect([(await chat("fast")).status, await listed()]).toEqual([404, [false, false, 404]]);
});

test("fallbacks count for the next request", async () => {
  const { change, chat } = await scene(["llama"]);
  expect((await chat("gone")).status).toBe(404);
  await change({ fallbacks: { gone: ["never offered", "llama"] } });
  expect((await chat("gone")).agentModel).toBe("llama");
  await change({ fallbacks: null });
  expect((await chat("gone")).status).toBe(404);
});

test("a user whose models are named by an alias loses the old model, and their running request ends", async () => {
  const { change, chat, addUser, agent } = await scene(["llama", "qwen"], ["--model-alias", "fast=llama"], {
    onAsk: () => {},
  });
  const token = await addUser({ models: ["fast"] });
  const running = chat("llama", token);
  const { ask } = await agent.next("ask");
  await change({ modelAliases: { other: "llama", fast: "qwen" } });
  expect((await running).status).toBe(403);
  expect(await agent.next("cancel")).toMatchObject({ ask });
  expect((await chat("llama", token)).status).toBe(403);
  const allowed = chat("fast", token);
  const next = await agent.next("ask");
  agent.say({ type: "done", ask: next.ask, status: 200, body: "{}" });
  expect((await allowed).agentModel).toBe("qwen");
});

/** Sends requests of which all but one wait. Resolves once as many wait. */
async function waiting(count: number, given: Awaited<ReturnType<typeof scene>>, key: string) {
  const { chat, agent, send } = given;
  void chat("m", key).catch(() => {});
  await agent.next("ask");
  for (let nth = 0; nth < count; nth++) void chat("m", key).catch(() => {});
  await until(async () => JSON.parse((await send("/api/queue")).text).waiting.length === count);
}

test("limits of the queue count for the next request, and readiness follows them", async () => {
  const given = await scene(["m"], [], { onAsk: () => {} });
  const { change, chat, addUser, send } = given;
  const token = await addUser({});
  await waiting(2, given, token);
  expect((await send("/ready")).status).toBe(200);
  await change({ queueUserMax: 2 });
  expect((await chat("m", token)).status).toBe(429);
  await change({ queueMax: 2 });
  expect((await chat("m")).status).toBe(503);
  expect(await send("/ready")).toMatchObject({
    status: 503,
    text: expect.stringContaining("the queue is full"),
  });
  await change({ queueMax: null, queueUserMax: null, queueWaitMs: 100 });
  expect((await send("/ready")).status).toBe(200);
  // It begins to wait now, so the new time counts.
  expect((await chat("m", token)).status).toBe(503);
});

test("after fewer failures an agent gets no requests, once that is the setting", async () => {
  const { change, chat, send } = await scene(["m"], [], {
    onAsk: ({ ask }, { say }) => say({ type: "done", ask, status: 500, body: "{}" }),
  });
  const state = async () => JSON.parse((await send("/admin/agents")).text).agents[0].circuits?.[0]?.state;
  await chat("m");
  expect(await state()).not.toBe("open");
  await change({ agentFailuresMax: 1 });
  await chat("m");
  expect(await state()).toBe("open");
});

test("limits of an address count for the next request", async () => {
  const given = await scene(["m"], [], { onAsk: () => {} });
  const { change, chat, agent, send } = given;
  void chat("m").catch(() => {});
  await agent.next("ask");
  await change({ addressRequestsMax: 1 });
  expect((await chat("m")).status).toBe(429);
  const wrong = () => send("/v1/models", undefined, "a wrong key");
  expect([(await wrong()).status, (await wrong()).status]).toEqual([401, 401]);
});

test("an administrator whose address has no room can still sign in, read the settings and raise the limit", async () => {
  const { change, chat, agent, send } = await scene(["m"], [], { onAsk: () => {} });
  void chat("m").catch(() => {});
  await agent.next("ask");
  await change({ addressRequestsMax: 1 });
  expect((await send("/v1/models")).status).toBe(429);
  expect((await send("/api/session", {})).status).toBe(200);
  expect((await send("/api/session")).status).toBe(200);
  expect((await send("/admin/settings")).status).toBe(200);
  await change({ addressRequestsMax: null });
  expect((await send("/v1/models")).status).toBe(200);
});

test("fewer wrong keys are accepted once that is the setting", async () => {
  const { change, send } = await scene(["m"]);
  const wrong = async () => (await send("/v1/models", undefined, "a wrong key")).status;
  expect([await wrong(), await wrong()]).toEqual([401, 401]);
  await change({ keyFailuresMax: 3 });
  expect([await wrong(), await wrong()]).toEqual([401, 429]);
  await change({ keyFailuresMax: null });
  expect(await wrong()).toBe(401);
});

test("the first clean-up after a start goes by the stored days", async () => {
  const { server, change } = await scene(["m"]);
  await change({ usageDays: 1000 });
  await server.stop();
  const store = openTestFile(join(server.data, "server.db"));
  store.usage.record(usageRow({ at: Date.now() - 500 * DAY_MS }));
  store.usage.record(usageRow({ at: Date.now() - 1_500 * DAY_MS }));
  await store.close();
  const { logged } = await startTestServer([], { data: server.data });
  await until(() => logged().includes("usage_purged"));
  expect(logged()).toMatch(/"usage_purged".*"usage":1\b/);
});

test("a stored value that is not valid is ignored, with a warning in the log", async () => {
  const data = tempFolder();
  const store = openTestFile(join(data, "server.db"));
  await store.settings.change([{ name: "queueMax", value: '"many"' }], []);
  await store.close();
  const { url, logged } = await startTestServer(["--queue-max", "7"], { data });
  expect(logged()).toMatch(/"warn".*"setting_ignored".*"queueMax"/);
  expect(await settingsOf(url).read()).toMatchObject({ queueMax: { current: 7, from: "--queue-max" } });
});

test("a server whose settings cannot be read does not start", async () => {
  const data = tempFolder();
  const store = openTestFile(join(data, "server.db"));
  await store.close();
  const database = new Database(join(data, "server.db"));
  database.run("ALTER TABLE settings RENAME COLUMN value TO other");
  database.close();
  expect(await failureOf(() => startTestServer([], { data }))).toBeInstanceOf(CommandError);
});

test("the log masks the address and the secret of a webhook that an administrator has set, also after a restart", async () => {
  const { config } = readServerArgs({ args: ["0", "the-admin-key"], env: {} });
  const store = openTestStore();
  const open = () => {
    const lines: string[] = [];
    const log = createLog({ write: (line) => void lines.push(line) });
    return openSettings({ config, store, log }).then((server) => ({ ...server, log, lines }));
  };
  const [url, secret] = ["https://hooks.example.com/T0/B0/x", "a secret of the receiver"];
  const first = await open();
  await first.settings.change(
    { webhook: { url, secret, format: "auto", severity: "warning" } },
    { mayChange: () => true, record: (_detail, make) => make() },
  );
  for (const { log, lines } of [first, await open()]) {
    log.info("seen", { url, secret });
    expect(lines.join("")).toContain('"url":"***","secret":"***"');
  }
});

test("the time for a whole answer and for a whole stream counts for the next request", async () => {
  const { change, send } = await scene(["llama"], [], {
    onAsk: ({ ask, stream }, { say }) => {
      if (stream) say({ type: "delta", ask, data: '{"choices":[]}' });
    },
  });
  await change({ wholeAnswerMs: 100, wholeStreamMs: 1_000 });
  const answers = await Promise.all(
    [false, true].map((stream) => send("/v1/chat/completions", { model: "llama", messages: [], stream })),
  );
  expect(answers.map(({ status }) => status)).toEqual([504, 200]);
  for (const { text } of answers) expect(text).toContain("timeout");
});
