import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { PRINTABLE } from "../../src/printable.ts";
import { startModelScene } from "../support/model-scene.ts";
import { ADMIN_KEY, startTestServer } from "../support/server.ts";
import { chunk, connectV2Agent, V2_HELLO } from "../support/v2-agent.ts";

/** Clears a screen, forges a line, turns the direction of text, and hides a letter. */
const HOSTILE = "\x1b[2J\x9b31m\r\n\u2028server: all is well \u202egnp\u200b\u0000";
const METRICS_KEY = "a-key-for-the-metrics";

const get = async (url: string, path: string, key = ADMIN_KEY) =>
  (await fetch(url + path, { headers: { authorization: `Bearer ${key}` } })).text();

/** Checks each line of a text that people read. */
function expectPrintable(text: string): void {
  for (const line of text.split(/\r?\n/)) expect(line).toMatch(PRINTABLE);
}

test.each<[string, object]>([
  ["name", { name: HOSTILE }],
  ["version", { version: "1\x1b[31m" }],
  ["models[0].id", { models: [{ id: HOSTILE }] }],
  ["models[0].id", { models: [{ id: "gpt-4o\u202e" }] }],
  ["models[0].owned_by", { models: [{ id: "m", owned_by: HOSTILE }] }],
])("an agent whose %s could garble a terminal is refused, and nothing lists it", async (field, part) => {
  const server = await startTestServer();
  const joining = connectV2Agent(server.url, { hello: { ...V2_HELLO, ...part } });
  await expect(joining).rejects.toThrow(`${field}: must be without control characters`);
  for (const path of ["/admin/agents", "/v1/models", "/api/connections"])
    expect(await get(server.url, path)).not.toContain("all is well");
  expectPrintable(server.logged());
});

test("whatever texts an agent sends, the log, the metrics and the lists are printable", async () => {
  const { server, agent, post } = await startModelScene({}, ["--metrics-key", METRICS_KEY]);
  const ask = (stream: boolean) => post("chat/completions", { model: "m", stream, messages: [] });
  const failed = ask(false);
  const error = { message: HOSTILE, type: HOSTILE, code: HOSTILE };
  agent.say({ type: "fail", ask: (await agent.next("ask")).ask, error, retryable: false });
  const { status } = await failed;
  expect(status).toBe(502);
  const streamed = ask(true);
  const { ask: id } = await agent.next("ask");
  agent.say({ type: "delta", ask: id, data: chunk("a") });
  agent.say({ type: "fail", ask: id, error, retryable: true });
  await (await streamed).text();
  agent.say({ type: HOSTILE });
  agent.say({ type: "update", models: [{ id: HOSTILE }] });
  for (const path of ["/admin/agents", "/v1/models", "/api/connections", "/admin/overview"])
    expectPrintable(await get(server.url, path));
  expectPrintable(await get(server.url, "/metrics", METRICS_KEY));
  expectPrintable(server.logged());
});

test("names that an earlier version kept are printable in the CSV of the usage", async () => {
  const first = await startTestServer();
  await first.stop();
  const database = new Database(join(first.data, "server.db"));
  database
    .prepare(`
      INSERT INTO usage (at, request_id, agent, model, surface, outcome, tries, queue_ms, duration_ms)
      VALUES (?1, 'req', ?2, ?2, 'ask', 'ok', 1, 0, 1)`)
    .run(Date.now(), HOSTILE);
  database.close();
  const server = await startTestServer([], { data: first.data });
  const csv = await get(server.url, "/admin/usage?by=model,agent&format=csv");
  expect(csv).toContain("\\u001b[2J\\u009b31m\\u000d\\u000a\\u2028server: all is well \\u202egnp");
  expectPrintable(csv);
});
