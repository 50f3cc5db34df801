import { describe, expect, onTestFinished, test } from "bun:test";
import { readServerArgs } from "../../../src/cli/args.ts";
import { createLog, type LogFormat } from "../../../src/log/log.ts";
import { startServer } from "../../../src/server/compose.ts";
import { firefoxAgent } from "../../support/agents.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { tempFolder } from "../../support/store.ts";
import { until } from "../../support/until.ts";
import { connectV2Agent, streamPieces, V2_HELLO } from "../../support/v2-agent.ts";

/** A mark in everything that must not be in the log. */
const MARK = `marked-${crypto.randomUUID()}`;

/** Starts a server whose log masks nothing, so that it must not be given a secret in the first place. */
async function startUnmasked(format: LogFormat) {
  const keys = ["--agent-key", `${MARK}-agent`, "--metrics-key", `${MARK}-metrics`];
  const args = ["0", `${MARK}-admin`, "--data", tempFolder(), "--log-level", "debug", ...keys];
  const { config } = readServerArgs({ args, env: {} });
  let logged = "";
  const log = createLog({ format, level: "debug", write: (line) => (logged += line) });
  const server = await startServer(config, { ...log, mask: () => {} });
  onTestFinished(() => server.stop());
  return { url: `http://127.0.0.1:${server.port}`, logged: () => logged, stop: server.stop };
}

const CHAT = { model: "m", messages: [{ role: "user", content: `${MARK} question` }] };

const TRAITS = {
  cookie: `session=${MARK}`,
  referer: `https://${MARK}.example/?q=${MARK}`,
  "user-agent": MARK,
  "x-request-id": `${MARK} with a blank`,
  traceparent: `00-${MARK}`,
  tracestate: `a=${MARK}`,
};

/** Sends every kind of request, good and bad, with the mark wherever a caller can put one. */
function requests(token: string): [path: string, init: RequestInit][] {
  const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
    method: "POST",
    headers: { ...TRAITS, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const own = { authorization: token };
  const admin = { authorization: `Bearer ${MARK}-admin` };
  const asks = [
    { content: `${MARK} hi` },
    { content: `${MARK} hi`, stream: true },
    { content: `${MARK} hi`, model: `${MARK} is no model` },
    { content: `${MARK} hi`, model: "gone" },
    { content: `${MARK} hi`, conversation_id: MARK },
    { content: `${MARK} fail`, model: "m" },
    { content: 7, message_id: MARK },
  ];
  const models: [string, object][] = [
    ["chat/completions", CHAT],
    ["chat/completions", { ...CHAT, stream: true }],
    ["chat/completions", { ...CHAT, model: `${MARK} unknown` }],
    ["chat/completions", { ...CHAT, messages: [{ role: "user", content: `${MARK} fail` }] }],
    ["chat/completions", { ...CHAT, messages: [{ role: "user", content: `${MARK} garbage` }] }],
    ["responses", { model: "m", input: `${MARK} garbage` }],
    ["messages", { model: "m", max_tokens: 5, messages: CHAT.messages }],
    ["embeddings", { model: "m", input: MARK }],
  ];
  return [
    ...asks.map((body): [string, RequestInit] => ["/api/ask", post(body, own)]),
    ...models.map(([path, body]): [string, RequestInit] => [`/v1/${path}`, post(body, own)]),
    ["/api/ask", post(`{"content":"${MARK}`, own)],
    ["/v1/messages", post(`${MARK} {`, { "x-api-key": token })],
    ["/api/ask", post(asks[0], { authorization: `${MARK}-wrong` })],
    ["/api/ask", post(asks[0], { ...own, "x-api-key": `${MARK}-other` })],
    ["/admin/users/add", post({ admin_key: `${MARK}-wrong` })],
    ["/admin/users/add", post({ admin_key: `${MARK}-admin` })],
    [`/admin/users?admin_key=${MARK}-admin`, {}],
    [`/admin/users?admin_key=${MARK}-wrong`, {}],
    [`/agents/${MARK}-wrong/client/register`, {}],
    [`/${MARK}`, {}],
    [`/api/${MARK}?key=${MARK}`, { headers: own }],
    [`/v1/models/${MARK}`, { headers: own }],
    ["/metrics", { headers: { authorization: `Bearer ${MARK}-metrics` } }],
    ["/metrics", { headers: { authorization: `Bearer ${MARK}-wrong` } }],
    ["/metrics", { headers: admin }],
    [`/ready?agents=${MARK}`, {}],
    ["/ready", {}],
    ["/health", {}],
  ];
}

describe.each(["json", "pretty"] as const)("the log at level debug, as %s", (format) => {
  test("the log has no content, no key and no token, whatever was asked and however it went", async () => {
    const server = await startUnmasked(format);
    const v1 = await firefoxAgent(`${server.url}/agents/${MARK}-agent`, {
      answer: ({ content }) => ({ content: `${MARK} answers ${content}` }),
    });
    const hello = { ...V2_HELLO, name: MARK, version: MARK, models: [{ id: "m" }, { id: "gone" }] };
    const v2 = await connectV2Agent(server.url, {
      key: `${MARK}-agent`,
      hello,
      onAsk({ ask, stream, body }, agent) {
        const error = { message: `${MARK} went wrong`, type: MARK };
        if (body.includes("fail")) agent.say({ type: "fail", ask, status: 500, error, retryable: false });
        else if (body.includes("garbage")) agent.say({ type: "done", ask, status: 200, body: `${MARK} {` });
        else if (stream) streamPieces(agent, ask, [MARK, `${MARK} more`]);
        else agent.say({ type: "done", ask, status: 200, body: JSON.stringify({ content: MARK }) });
      },
    });
    v2.say({ type: "update", models: [{ id: "m" }] });
    const list = () => fetch(`${server.url}/v1/models`, { headers: { authorization: `${MARK}-admin` } });
    await until(async () => !(await (await list()).text()).includes('"gone"'));
    v2.say({ type: "delta", ask: MARK, data: MARK });
    v2.say({ type: MARK });
    const added = await fetch(`${server.url}/admin/users/add`, {
      method: "POST",
      body: JSON.stringify({ admin_key: `${MARK}-admin` }),
    });
    const { token } = (await added.json()) as { token: string };
    const statuses = new Set<number>();
    for (const [path, init] of requests(token)) {
      const response = await fetch(server.url + path, init);
      await response.text();
      statuses.add(response.status);
    }
    v2.say(`{"type":"update","slots":"${MARK}"}`);
    await v2.ended;
    await v1.stop();
    await server.stop();

    for (const status of [200, 400, 401, 404, 502, 503]) expect([...statuses]).toContain(status);
    const lines = server.logged().trim().split("\n");
    expect(lines.length).toBeGreaterThan(50);
    expect(lines.filter((line) => line.includes(MARK))).toEqual([]);
    expect(lines.filter((line) => line.includes(token))).toEqual([]);
    if (format === "pretty")
      expect(lines.filter((line) => !/^\d\d:\d\d:\d\d\.\d{3} /.test(line))).toEqual([]);
    else expect(() => lines.map((line) => JSON.parse(line))).not.toThrow();
  });
});

const linesOf = (logged: string) =>
  logged
    .trim()
    .split("\n")
    .map((line): Record<string, unknown> => JSON.parse(line));

test("a request, its ask and its answer have the same id", async () => {
  const { server, post } = await startModelScene({
    onAsk: ({ ask }, agent) =>
      agent.say({
        type: "done",
        ask,
        status: 200,
        body: "{}",
        usage: { prompt_tokens: 3, completion_tokens: 4 },
      }),
  });
  const response = await post("chat/completions", CHAT);
  const request_id = response.headers.get("x-request-id");
  const own = linesOf(server.logged()).filter((line) => line["request_id"] === request_id);
  expect(own).toMatchObject([
    {
      event: "ask",
      surface: "chat/completions",
      model: "m",
      outcome: "ok",
      input_tokens: 3,
      output_tokens: 4,
      answer_length: 2,
    },
    { event: "request", level: "info", route: "/v1/chat/completions", status: 200 },
  ]);
});

test("a plain id that a caller sends is logged as theirs, and never replaces ours", async () => {
  const server = await startTestServer();
  for (const id of ["job-17:4_a.b", "x".repeat(64), "x".repeat(65), "two words", 'a"b', ""])
    await fetch(`${server.url}/v1/models`, { headers: { "x-request-id": id, authorization: ADMIN_KEY } });
  const lines = linesOf(server.logged()).filter(({ event }) => event === "request");
  expect(lines.map((line) => line["client_request_id"])).toEqual([
    "job-17:4_a.b",
    "x".repeat(64),
    ...Array(4).fill(undefined),
  ]);
  expect(lines.every((line) => /^req_[0-9a-f-]{36}$/.test(String(line["request_id"])))).toBe(true);
});

test("health checks are logged at debug, a refused key at info, and a failure of the server at warn", async () => {
  const server = await startTestServer();
  for (const path of ["/health", "/ready", "/metrics", "/nowhere"]) await fetch(server.url + path);
  await fetch(`${server.url}/metrics`, { headers: { authorization: ADMIN_KEY } });
  await fetch(`${server.url}/api/ask`, {
    method: "POST",
    headers: { authorization: ADMIN_KEY },
    body: '{"content":"hi"}',
  });
  const lines = linesOf(server.logged()).filter(({ event }) => event === "request");
  expect(lines.map(({ level, route, status }) => [level, route, status])).toEqual([
    ["debug", "/health", 200],
    ["debug", "/ready", 503],
    ["info", "/metrics", 401],
    ["info", "/nowhere…", 404],
    ["debug", "/metrics", 200],
    ["warn", "/api/ask", 503],
  ]);
});
