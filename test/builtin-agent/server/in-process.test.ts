import { describe, expect, onTestFinished, test } from "bun:test";
import { connect } from "node:net";
import { createEcho } from "../../../src/builtin-agent/echo.ts";
import type { Upstream } from "../../../src/builtin-agent/upstream.ts";
import { chooseSeed } from "../../support/random.ts";
import { ADMIN_KEY, startTestServer, type TestServer } from "../../support/server.ts";
import { askStreamed } from "../../support/stream-caller.ts";
import { until } from "../../support/until.ts";
import { longAnswer } from "../../support/upstream/fault-content.ts";
import { shareFaultUpstream } from "../../support/upstream/start.ts";
import { startBuiltinAgent } from "../start.ts";

const upstream = shareFaultUpstream();
const seed = chooseSeed();

async function start(flags: readonly string[] = [], options: Partial<Parameters<typeof linked>[1]> = {}) {
  const server = await startTestServer(flags);
  const builtin = linked(server, { upstream: upstream().url, random: () => 0, ...options });
  await connected(builtin, 1);
  await upstream().reset();
  return { server, builtin };
}

/** Starts an agent that is linked to the server, in this process. */
function linked(server: TestServer, options: Parameters<typeof startBuiltinAgent>[1]) {
  const address = { label: "this server", link: server.linkAgent };
  return startBuiltinAgent({ host: "none" }, { ...options, server: address, alwaysReturns: true });
}

const connected = (builtin: ReturnType<typeof linked>, times: number) =>
  until(() => builtin.printed.filter((line) => line.startsWith("connected")).length === times);

function chat({ url }: TestServer, body: object, signal?: AbortSignal): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "one  two\nthree" }], ...body }),
    ...(signal && { signal }),
  });
}

const stream = (server: TestServer, body: object, options = {}) =>
  askStreamed(server.url, "/v1/chat/completions", {
    key: ADMIN_KEY,
    body: { messages: [{ role: "user", content: "one  two\nthree" }], stream: true, ...body },
    ...options,
  });

const contentOf = async (response: Response) =>
  ((await response.json()) as { choices: { message: { content: string } }[] }).choices[0]?.message.content;

async function agentsOf({ url }: TestServer) {
  const response = await fetch(`${url}/admin/agents`, { headers: { authorization: ADMIN_KEY } });
  return ((await response.json()) as { agents: Record<string, unknown>[] }).agents;
}

describe("an agent in the server's process", () => {
  test("the agent needs no socket, and the list of agents shows it with its key and this machine's address", async () => {
    const { server, builtin } = await start();
    const expected = { name: "desk", protocol: "v2", address: "127.0.0.1", key: "main", version: "0.0.0" };
    expect(await agentsOf(server)).toMatchObject([expected]);
    expect(server.logged()).toContain('"agent_joined"');
    expect(server.logged()).not.toContain("/client/register");
    expect(builtin.printed[0]).toStartWith("connected to this server, offering ");
  });

  test("answers arrive unchanged, whole and streamed, also long ones and those of another endpoint", async () => {
    const { server } = await start();
    expect(await contentOf(await chat(server, { model: "echo" }))).toBe("one  two\nthree");
    expect(await stream(server, { model: "echo" })).toMatchObject({ how: "whole", text: "one  two\nthree" });
    const size = 300_000;
    const long = await stream(server, { model: "long", seed, size });
    expect(long).toMatchObject({ how: "whole", text: longAnswer(seed, size) });
  });

  test("an error of the upstream reaches the caller with its status and its Retry-After", async () => {
    const { server } = await start();
    expect((await chat(server, { model: "bad-request" })).status).toBe(400);
    const limited = await chat(server, { model: "rate-limited" });
    expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "2"]);
  });

  test("when a caller hangs up, the upstream's request is aborted, and the slot is free", async () => {
    const { server } = await start([], { slots: 1 });
    const caller = new AbortController();
    const asked = chat(server, { model: "never" }, caller.signal).catch(() => "aborted");
    await upstream().openUntil(({ open }) => open === 1);
    caller.abort();
    expect(await asked).toBe("aborted");
    expect(await upstream().openUntil(({ open }) => open === 0)).toMatchObject({ aborted: 1 });
    expect(await contentOf(await chat(server, { model: "echo" }))).toBe("one  two\nthree");
  });

  test("an upstream that is cut off fails the request, and the next one is answered", async () => {
    const { server } = await start(["--agent-failures-max", "0"]);
    const cut = await stream(server, { model: "dies", chunks: 3 });
    expect(cut).toMatchObject({ how: "failed", error: expect.stringContaining("ended its answer early") });
    expect((await chat(server, { model: "dies-first" })).status).toBe(502);
    expect(await contentOf(await chat(server, { model: "echo" }))).toBe("one  two\nthree");
  });

  test("an answer that is larger than frames may be fails, and the agent stays connected", async () => {
    const { server, builtin } = await start(["--frame-max", "4KB"]);
    const whole = await chat(server, { model: "long", size: 20_000 });
    expect([whole.status, await whole.text()]).toEqual([
      502,
      expect.stringContaining("larger than the server"),
    ]);
    const event = await stream(server, { model: "long-event", size: 5_000 });
    expect(event).toMatchObject({ how: "failed", error: expect.stringContaining("larger") });
    expect(await contentOf(await chat(server, { model: "echo" }))).toBe("one  two\nthree");
    expect(builtin.printed).toHaveLength(1);
  });

  test("a caller who does not read loses only their own answer, and everyone else is answered meanwhile", async () => {
    const server = await startTestServer();
    const { upstream: endless, sent, cancelled } = createEndlessUpstream();
    await connected(linked(server, { upstream: endless }), 1);
    askWithoutReading(server, {
      model: "echo",
      stream: true,
      messages: [{ role: "user", content: ENDLESS }],
    });
    await until(() => sent() > 0);
    for (let asked = 0; asked < 5; asked++)
      expect(await contentOf(await chat(server, { model: "echo" }))).toBe("one  two\nthree");
    await cancelled;
    await until(() => server.logged().includes('"outcome":"caller_gone"'));
  });
});

const ENDLESS = "without an end";

/** Returns an upstream that echoes, except that its answer to one question has no end. */
function createEndlessUpstream() {
  const echo = createEcho();
  const { promise: cancelled, resolve: cancel } = Promise.withResolvers<void>();
  const event = new TextEncoder().encode(
    `data: {"choices":[{"delta":{"content":"${"x".repeat(4096)}"}}]}\n\n`,
  );
  let sent = 0;
  const endless = (signal: AbortSignal) =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        sent++;
        controller.enqueue(event);
      },
      start: (controller) => signal.addEventListener("abort", () => controller.error(signal.reason)),
    });
  const upstream: Upstream = {
    ...echo,
    request: async (endpoint, body, signal) => {
      if (typeof body !== "string" || !body.includes(ENDLESS)) return echo.request(endpoint, body, signal);
      signal.addEventListener("abort", () => cancel());
      return new Response(endless(signal), { headers: { "content-type": "text/event-stream" } });
    },
  };
  return { upstream, sent: () => sent, cancelled };
}

/** Sends a request on a socket that takes nothing of the answer, until the test ends. */
function askWithoutReading({ url }: TestServer, body: object): void {
  const { hostname, port } = new URL(url);
  const text = JSON.stringify(body);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {}).pause();
  const head = [
    `POST /v1/chat/completions HTTP/1.1`,
    `host: ${hostname}`,
    `authorization: Bearer ${ADMIN_KEY}`,
  ];
  socket.write(`${head.join("\r\n")}\r\ncontent-length: ${text.length}\r\n\r\n${text}`);
}

describe("the link of an agent in the server's process", () => {
  test("a server that stops lets running requests finish, and no agent gets in after that", async () => {
    const { server, builtin } = await start();
    const asked = stream(server, { model: "slow-words" });
    await upstream().openUntil(({ started }) => started === 1);
    await server.stop();
    expect(await asked).toMatchObject({ how: "whole", text: "one  two\nthree" });
    expect(builtin.printed.at(-1)).toContain("the server is shutting down (4000); reconnecting in 2.0 s");
    const late = linked(server, { upstream: createEcho(), random: () => 0 });
    await until(() => late.printed.length > 0);
    expect(late.printed[0]).toStartWith("this server: refused: Server is shutting down; reconnecting in");
  });

  test("an agent that leaves lets its requests finish first", async () => {
    const { server, builtin } = await start();
    const asked = stream(server, { model: "slow-words" });
    await upstream().openUntil(({ started }) => started === 1);
    await builtin.stop(10_000);
    expect(await asked).toMatchObject({ how: "whole", text: "one  two\nthree" });
    expect(await agentsOf(server)).toEqual([]);
  });

  test("an agent that the administrator disconnects comes back under a new id", async () => {
    const { server, builtin } = await start();
    const [first] = await agentsOf(server);
    const headers = { authorization: ADMIN_KEY };
    await fetch(`${server.url}/admin/agents/${first?.["id"]}/disconnect`, { method: "POST", headers });
    await connected(builtin, 2);
    const [second, ...others] = await agentsOf(server);
    expect(others).toEqual([]);
    expect(second?.["id"]).not.toBe(first?.["id"]);
  });

  test("an agent that finds the server full says so, and joins once there is room", async () => {
    const { server, builtin } = await start(["--agents-max", "1"]);
    const second = linked(server, { upstream: createEcho(), random: () => 0 });
    await until(() => second.printed.length > 0);
    expect(second.printed[0]).toContain("refused: The limit of open agent connections is reached");
    expect(server.logged()).toContain('"agent_refused"');
    await builtin.stop(0);
    await connected(second, 1);
  });
});
