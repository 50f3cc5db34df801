import { expect, onTestFinished, test } from "bun:test";
import { connect } from "node:net";
import { agentKeyAt } from "../../support/agent-key.ts";
import { firefoxAgent } from "../../support/agents.ts";
import { connectSource, takeHead } from "../../support/byte-source.ts";
import { createFakeClock } from "../../support/clock.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";
import { chunk, connectV2Agent, streamPieces, V2_HELLO } from "../../support/v2-agent.ts";
import { encodeFrame } from "../../support/websocket-frame.ts";

/** Sends a request and never reads a byte of the answer. */
function askWithoutReading(url: string): void {
  const { port } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.pause();
  onTestFinished(() => {
    socket.destroy();
  });
  const body = '{"content":"much","stream":true}';
  const head = `POST /api/ask HTTP/1.1\r\nHost: x\r\nAuthorization: ${ADMIN_KEY}\r\nContent-Length: ${body.length}`;
  socket.write(`${head}\r\n\r\n${body}`);
}

test("a caller who does not read is dropped once their buffer is full, and nobody else waits for them", async () => {
  const server = await startTestServer();
  const agent = await connectV2Agent(server.url);
  onTestFinished(agent.stop);
  askWithoutReading(server.url);
  const { ask: slow } = await agent.next("ask");
  const piece = chunk("x".repeat(64 * 1024));
  const cancelled = agent.next("cancel");
  let sentBytes = 0;
  let isCancelled = false;
  void cancelled.then(() => {
    isCancelled = true;
  });
  while (!isCancelled && sentBytes < 256 * 1024 * 1024) {
    agent.say({ type: "delta", ask: slow, data: piece });
    sentBytes += piece.length;
    if (sentBytes % (1024 * 1024) < piece.length) await new Promise(setImmediate);
  }
  expect((await cancelled).ask).toBe(slow);
  expect(sentBytes).toBeLessThan(64 * 1024 * 1024);

  const other = fetch(`${server.url}/api/ask`, {
    method: "POST",
    headers: { authorization: ADMIN_KEY },
    body: '{"content":"little"}',
  });
  const { ask } = await agent.next("ask");
  streamPieces(agent, ask, ["fine"]);
  expect(await (await other).json()).toMatchObject({ content: "fine" });
});

test("12 asks of 8 MB at once lose no agent, as each waits until the socket has taken the last", async () => {
  // Two of them would be more than may wait for one agent.
  const server = await startTestServer(["--frame-max", "9MB"]);
  const agent = await connectV2Agent(server.url, {
    hello: { ...V2_HELLO, slots: 64 },
    onAsk: ({ ask, body }, self) => streamPieces(self, ask, [`${body.length}`]),
  });
  onTestFinished(agent.stop);
  const content = "x".repeat(8 * 1024 * 1024);
  const asks = Array.from({ length: 12 }, async () => {
    const body = JSON.stringify({ content });
    const headers = { authorization: ADMIN_KEY };
    const response = await fetch(`${server.url}/api/ask`, { method: "POST", headers, body });
    return Number(((await response.json()) as { content: string }).content) > content.length;
  });
  expect(await Promise.all(asks)).toEqual(asks.map(() => true));
  expect(server.logged()).not.toContain("agent_left");
});

/** Registers an agent that then reads nothing, not even from its socket. */
async function connectDeafAgent(url: string): Promise<void> {
  const source = connectSource(url);
  onTestFinished(() => {
    source.socket.destroy();
  });
  const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13";
  const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chatgpt-agent.v2";
  source.write(
    `GET /agents/${agentKeyAt(url)}/client/register HTTP/1.1\r\nHost: localhost\r\n${upgrade}\r\n${key}\r\n\r\n`,
  );
  expect((await takeHead(source))?.status).toBe(101);
  source.write(encodeFrame(JSON.stringify({ ...V2_HELLO, slots: 64 })));
  source.socket.pause();
}

/** The default of `--ping-every`. The server looks for agents that do not read more often than that. */
const PING_EVERY_MS = 30_000;

async function slotsInUse(url: string): Promise<number> {
  const response = await fetch(`${url}/admin/overview`, { headers: { authorization: ADMIN_KEY } });
  return ((await response.json()) as { slots: { in_use: number } }).slots.in_use;
}

test("an agent that reads nothing is closed, and its asks move to another agent", async () => {
  const clock = createFakeClock();
  const server = await startTestServer(["--first-byte", "10s"], { clock });
  await connectDeafAgent(server.url);
  const asked = fetch(`${server.url}/api/ask`, {
    method: "POST",
    headers: { authorization: ADMIN_KEY },
    body: JSON.stringify({ content: "x".repeat(16 * 1024 * 1024) }),
  });
  // Otherwise, the other agent may get the ask at once.
  await until(async () => (await slotsInUse(server.url)) === 1);
  const good = await connectV2Agent(server.url, {
    onAsk: ({ ask }, agent) => streamPieces(agent, ask, ["fine"]),
  });
  onTestFinished(good.stop);
  clock.advance(10_000);
  expect(await (await asked).json()).toMatchObject({ content: "fine" });
  clock.advance(PING_EVERY_MS);
  expect(server.logged()).toContain('"frames_dropped"');
});

const postAsk = (url: string, body: string | ReadableStream) =>
  fetch(`${url}/api/ask`, { method: "POST", headers: { authorization: ADMIN_KEY }, body });

test("a body over the limit is refused in JSON, with a length or in chunks, and the server goes on serving", async () => {
  const server = await startTestServer(["--body-max", "1MB"]);
  const long = JSON.stringify({ content: "x".repeat(2 ** 20) });
  const chunked = () =>
    new ReadableStream({
      start(controller) {
        for (let at = 0; at < long.length; at += 65_536)
          controller.enqueue(new TextEncoder().encode(long.slice(at, at + 65_536)));
        controller.close();
      },
    });
  for (const body of [long, chunked()]) {
    const response = await postAsk(server.url, body);
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: "Request body too large" });
  }
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
});

test("30 MB of backslashes, each of which a frame escapes, reach an agent with the default limits", async () => {
  const server = await startTestServer();
  const agent = await connectV2Agent(server.url, {
    onAsk: ({ ask, body }, self) =>
      self.say({ type: "done", ask, status: 200, body: JSON.stringify({ length: body.length }) }),
  });
  onTestFinished(agent.stop);
  const body = `{"model":"m","messages":[{"role":"user","content":"${"\\\\".repeat(15_000_000)}"}]}`;
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    body,
  });
  expect([response.status, await response.text()]).toEqual([200, `{"length":${body.length}}`]);
});

test("15 MB reach the agent and come back unchanged", async () => {
  const server = await startTestServer();
  const agent = await firefoxAgent(server.url, { answer: ({ content }) => ({ content }) });
  const content = `é"\\ ${"0123456789".repeat(1_500_000)}`;
  const response = await postAsk(server.url, JSON.stringify({ content }));
  expect(response.status).toBe(200);
  const answer = (await response.json()) as { content: string };
  expect(answer.content === content).toBe(true);
  await agent.stop();
});
