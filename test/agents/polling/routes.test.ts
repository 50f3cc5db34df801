import { expect, test } from "bun:test";
import { once } from "node:events";
import { connect } from "node:net";
import { SESSION_HEADER } from "../../../src/protocol/agent-polling.ts";
import { post, startPollingAgent } from "../../support/polling-agent.ts";
import { ADMIN_KEY, startTestServer, type TestServer } from "../../support/server.ts";
import { chunk } from "../../support/v2-agent.ts";

function administer({ url }: TestServer, method: string, path: string, body?: object): Promise<Response> {
  const headers = { authorization: ADMIN_KEY };
  return fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
}

const ask = ({ url }: TestServer, content: string) =>
  fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: ADMIN_KEY },
    body: JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content }] }),
  });

test("an agent registers, gets an ask and streams its answer by requests alone, as documented", async () => {
  const server = await startTestServer();
  const agent = await startPollingAgent(server.url, { key: server.agentKey });
  const { messages } = await agent.send({ received: 0 });
  expect(messages).toMatchObject([{ type: "ready" }]);
  const asked = ask(server, "hi");
  const polled = await agent.send({ received: 1 });
  expect(polled).toMatchObject({ head: { first: 2, sent: 2 }, messages: [{ type: "ask", stream: true }] });
  const id = polled.messages[0]?.["ask"];
  const frames = [
    { type: "accept", ask: id },
    { type: "delta", ask: id, data: chunk("one ") },
    { type: "delta", ask: id, data: chunk("two") },
  ];
  expect((await agent.send({ first: 2 }, ...frames)).head.received).toBe(4);
  const end = [
    { type: "delta", ask: id, data: "[DONE]" },
    { type: "done", ask: id, status: 200 },
  ];
  // The last frame comes again, in a list with what follows.
  expect((await agent.send({ first: 4 }, frames[2] ?? {}, end)).head.received).toBe(5);
  const texts = [...(await (await asked).text()).matchAll(/"content":"(.*?)"/g)].map(([, text]) => text);
  expect(texts).toEqual(["one ", "two"]);
  const list = (await (await administer(server, "GET", "/admin/agents")).json()) as { agents: object[] };
  expect(list.agents).toMatchObject([{ transport: "long-polling", key: "main", protocol: "v2" }]);
  const left = await agent.send({ first: 6, close: { code: 1000, reason: "leaving" } });
  expect(left.head.close).toEqual({ code: 1000, reason: "leaving" });
  expect(await (await administer(server, "GET", "/admin/agents")).json()).toEqual({ agents: [] });
});

test("a session is found only with the key that began it", async () => {
  const server = await startTestServer();
  const agent = await startPollingAgent(server.url, { key: server.agentKey });
  const added = await administer(server, "POST", "/admin/agents/keys", { name: "other" });
  const { key: other } = (await added.json()) as { key: string };
  const headers = { [SESSION_HEADER]: agent.session };
  for (const key of [other, undefined, "wrong"]) {
    const response = await post(server.url, { key, headers }, '{"received":0}');
    expect([key, response.status]).toEqual([key, 404]);
  }
  const unknown = { [SESSION_HEADER]: "x".repeat(43) };
  const response = await post(server.url, { key: server.agentKey, headers: unknown }, '{"received":0}');
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ hint: expect.stringMatching(/^The session has ended, or/) });
  expect((await agent.send({ received: 0 })).messages).toMatchObject([{ type: "ready" }]);
});

test("revoking the key ends the session, and its agent learns why", async () => {
  const server = await startTestServer();
  const added = await administer(server, "POST", "/admin/agents/keys", { name: "gpu" });
  const { id, key } = (await added.json()) as { id: string; key: string };
  const agent = await startPollingAgent(server.url, { key });
  await agent.send({ received: 0 });
  const polled = agent.send({ received: 1 });
  await administer(server, "DELETE", `/admin/agents/keys/${id}`);
  expect((await polled).head.close).toEqual({ code: 4503, reason: "the agent key was revoked" });
  expect((await agent.send({ received: 1 })).head.close?.code).toBe(4503);
  expect((await post(server.url, { key })).status).toBe(401);
});

test.each([
  ["", "its first line"],
  ["[]", "its first line"],
  ['{"first":0}', "its first line: first"],
  ['{"received":-1}', "its first line: received"],
  [`{"received":${"0".repeat(2000)}}`, "its first line is too long"],
  ['{"received":0}\n{"type":"pong"}', "its head has no `first`"],
])("the body %j is refused, and the session goes on", async (body, fault) => {
  const server = await startTestServer();
  const agent = await startPollingAgent(server.url, { key: server.agentKey });
  const headers = { [SESSION_HEADER]: agent.session };
  const response = await post(server.url, { key: server.agentKey, headers }, body);
  expect(response.status).toBe(400);
  expect(await response.text()).toContain(fault);
  expect((await agent.send({ received: 0 })).messages).toMatchObject([{ type: "ready" }]);
});

test("a body of more than 10,000 lines is refused", async () => {
  const server = await startTestServer();
  const agent = await startPollingAgent(server.url, { key: server.agentKey });
  const headers = { [SESSION_HEADER]: agent.session };
  const statuses = [10_000, 10_001].map(async (lines) => {
    const body = `{"first":2}${"\n".repeat(lines)}`;
    return (await post(server.url, { key: server.agentKey, headers }, body)).status;
  });
  expect(await Promise.all(statuses)).toEqual([200, 400]);
});

test("a compressed body is refused, as a small one could hold millions of messages", async () => {
  const server = await startTestServer();
  const agent = await startPollingAgent(server.url, { key: server.agentKey });
  const response = await fetch(`${server.url}/client/poll`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${server.agentKey}`,
      [SESSION_HEADER]: agent.session,
      "content-encoding": "gzip",
    },
    body: Bun.gzipSync('{"received":0}'),
  });
  expect([response.status, await response.text()]).toEqual([
    400,
    expect.stringContaining("it is compressed"),
  ]);
});

test("a large answer ends when a newer one begins, as both have the same messages", async () => {
  const server = await startTestServer();
  const agent = await startPollingAgent(server.url, { key: server.agentKey });
  await agent.send({ received: 0 });
  const asked = ask(server, "x".repeat(16 * 1024 * 1024));
  // The announcement comes first.
  expect((await agent.send({ received: 1 })).messages).toMatchObject([{ type: "announce" }]);
  const body = '{"received":2}';
  const head = [
    "POST /client/poll HTTP/1.1",
    "host: 127.0.0.1",
    `authorization: Bearer ${server.agentKey}`,
    `${SESSION_HEADER}: ${agent.session}`,
    `content-length: ${body.length}`,
  ];
  // It reads no more than the first bytes, so that the rest waits at the server.
  const slow = connect(Number(new URL(server.url).port), "127.0.0.1", () =>
    slow.write(`${head.join("\r\n")}\r\n\r\n${body}`),
  );
  const cut = Promise.withResolvers<void>();
  slow.on("error", () => {}).on("close", cut.resolve);
  await once(slow, "data").then(() => slow.pause());
  const { messages } = await agent.send({ received: 2 });
  expect(messages).toMatchObject([{ type: "ask" }]);
  slow.resume();
  await cut.promise;
  expect(slow.bytesRead).toBeLessThan(16 * 1024 * 1024);
  const id = messages[0]?.["ask"];
  const end = [
    { type: "delta", ask: id, data: chunk("read") },
    { type: "delta", ask: id, data: "[DONE]" },
    { type: "done", ask: id, status: 200 },
  ];
  await agent.send({ first: 2 }, ...end);
  expect((await asked).status).toBe(200);
});

test("a page of a web site can neither begin a session without a key nor go on with one", async () => {
  const server = await startTestServer(["--agents", "local"]);
  const origin = { origin: "https://evil.example" };
  expect((await post(server.url, { headers: origin })).status).toBe(403);
  const agent = await startPollingAgent(server.url, {});
  const headers = { ...origin, [SESSION_HEADER]: agent.session };
  expect((await post(server.url, { headers }, '{"received":0}')).status).toBe(403);
  expect((await agent.send({ received: 0 })).messages).toMatchObject([{ type: "ready" }]);
});

test("a session counts for the limit of agents until it ends", async () => {
  const server = await startTestServer(["--agents-max", "1"]);
  const { agentKey: key } = server;
  const agent = await startPollingAgent(server.url, { key });
  expect((await post(server.url, { key })).status).toBe(503);
  await agent.send({ close: { code: 1000, reason: "leaving" } });
  expect((await post(server.url, { key })).status).toBe(200);
});

test("an agent that long-polls learns of a drain, and that the server has closed its session", async () => {
  const server = await startTestServer();
  const agent = await startPollingAgent(server.url, { key: server.agentKey });
  const types: string[] = [];
  const follow = async () => {
    for (let received = 0; ; ) {
      const { head, messages } = await agent.send({ received });
      types.push(...messages.map(({ type }) => type));
      received += messages.length;
      if (head.close) return head.close;
    }
  };
  const ended = follow();
  await server.stop();
  expect(await ended).toEqual({ code: 4000, reason: "the server is shutting down" });
  expect(types).toEqual(["ready", "drain"]);
});

test("a request that is larger than the largest message allows is refused", async () => {
  const server = await startTestServer(["--frame-max", "1MB"]);
  const agent = await startPollingAgent(server.url, { key: server.agentKey });
  const headers = { [SESSION_HEADER]: agent.session };
  const response = await post(server.url, { key: server.agentKey, headers }, "x".repeat(2 * 1024 * 1024));
  expect(response.status).toBe(413);
});
