import { expect, test } from "bun:test";
import { connect } from "node:net";
import { startAgentProcess } from "../support/agent-process.ts";
import { runExecutable } from "../support/executable.ts";
import { findProgram } from "../support/programs.ts";
import { type Scene, startScene } from "../support/scene.ts";
import { chatTextOf, eventsOf } from "../support/upstream/events.ts";
import { startFaultUpstream } from "../support/upstream/start.ts";

const TEXT = "one two  three\n\nnaïve 日本語 👩‍🔬 end";
const curl = findProgram("curl");

interface Streamed {
  status: number;
  text: string;
  /** From the first byte of the body to the last one. */
  spreadMs: number;
}

/** Posts with curl as people do, or with fetch if curl is missing. */
async function post({ url, adminKey }: Scene, path: string, body: object, accept = "*/*"): Promise<Streamed> {
  const data = JSON.stringify(body);
  if (curl === undefined) {
    const headers = { authorization: `Bearer ${adminKey}`, accept };
    const response = await fetch(url + path, { method: "POST", headers, body: data });
    return { status: response.status, ...(await readOut(response.body ?? new Blob().stream())) };
  }
  const auth = ["-H", `Authorization: Bearer ${adminKey}`, "-H", `Accept: ${accept}`];
  const command = [curl, "-sS", "-N", "-w", "\n%{http_code}", ...auth, "-d", data, url + path];
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "inherit" });
  const { text, spreadMs } = await readOut(child.stdout);
  expect(await child.exited).toBe(0);
  const at = text.lastIndexOf("\n");
  return { status: Number(text.slice(at + 1)), text: text.slice(0, at), spreadMs };
}

async function readOut(stream: ReadableStream<Uint8Array>): Promise<Omit<Streamed, "status">> {
  const decoder = new TextDecoder();
  let text = "";
  let first: number | undefined;
  let last = 0;
  for await (const bytes of stream) {
    last = performance.now();
    first ??= last;
    text += decoder.decode(bytes, { stream: true });
  }
  return { text, spreadMs: last - (first ?? last) };
}

/** Returns the text of a stream of `/api/ask`. */
function deltasOf(stream: string): string {
  const values = eventsOf(stream)
    .slice(0, -2)
    .map(({ data }) => JSON.parse(data).delta);
  return values.join("");
}

async function expectEcho(scene: Scene) {
  const asked = { content: TEXT };
  const whole = await post(scene, "/api/ask", asked);
  expect([whole.status, JSON.parse(whole.text).content]).toEqual([200, TEXT]);
  const streamed = await post(scene, "/api/ask", asked, "text/event-stream");
  expect([streamed.status, deltasOf(streamed.text)]).toEqual([200, TEXT]);
  expect(eventsOf(streamed.text).at(-1)).toEqual({ data: "[DONE]" });
  expect(eventsOf(streamed.text).length).toBeGreaterThan(5);

  const chat = { model: "echo", messages: [{ role: "user", content: TEXT }] };
  const completion = await post(scene, "/v1/chat/completions", chat);
  expect([completion.status, JSON.parse(completion.text).choices[0].message.content]).toEqual([200, TEXT]);
  const chunks = await post(scene, "/v1/chat/completions", { ...chat, stream: true });
  expect([chunks.status, chatTextOf(eventsOf(chunks.text))]).toEqual([200, TEXT]);
  expect(eventsOf(chunks.text).at(-1)).toEqual({ data: "[DONE]" });
}

test("an answer streams from an upstream through agent and server to curl", async () => {
  const upstream = await startFaultUpstream();
  const scene = await startScene();
  const agent = await startAgentProcess([`localhost:${scene.server.port}`, "--upstream", upstream.url]);
  const content = "word ".repeat(40).trim();
  for (const path of ["/api/ask", "/v1/chat/completions"]) {
    const body = { model: "slow-words", content, messages: [{ role: "user", content }], stream: true };
    const { status, text, spreadMs } = await post(scene, path, body);
    expect([path, status]).toEqual([path, 200]);
    const events = eventsOf(text);
    expect(path === "/api/ask" ? deltasOf(text) : chatTextOf(events)).toBe(content);
    expect(events.at(-1)).toEqual({ data: "[DONE]" });
    // The upstream pauses 39 times for 20 ms. An answer that came all at once would show no pause.
    expect(spreadMs).toBeGreaterThan(400);
  }
  expect(agent.stderr()).toMatch(/connected to .*offering \d+ models/);
  expect(agent.stdout() + agent.stderr()).not.toContain(content);
});

test("/v1 is added to the URL of an upstream when needed", async () => {
  const upstream = await startFaultUpstream();
  const scene = await startScene();
  const base = `http://localhost:${upstream.port}`;
  await startAgentProcess([scene.url, "--upstream", base, "--model", "echo"]);
  const { status, text } = await post(scene, "/api/ask", { content: TEXT });
  expect([status, JSON.parse(text).content]).toEqual([200, TEXT]);
});

test("`<port> <key> --echo` is a complete API that answers whole and streamed", async () => {
  const scene = await startScene({ flags: ["--echo"] });
  await scene.server.output(/offering/);
  await expectEcho(scene);
});

test("`agent <server> --echo` needs no model server", async () => {
  const scene = await startScene();
  await startAgentProcess([`ws://127.0.0.1:${scene.server.port}`, "--echo"]);
  await expectEcho(scene);
});

test("the server command accepts --upstream, and finishes the running requests when it is stopped", async () => {
  const upstream = await startFaultUpstream();
  const scene = await startScene({ flags: ["--upstream", upstream.url, "--drain", "2m"] });
  await scene.server.output(/offering/);
  expect(JSON.parse((await post(scene, "/api/ask", { content: TEXT, model: "echo" })).text).content).toBe(
    TEXT,
  );

  await upstream.reset();
  const content = "word ".repeat(50).trim();
  const running = post(scene, "/api/ask", { content, model: "slow-words", stream: true });
  await upstream.openUntil(({ started }) => started === 1);
  scene.server.kill("SIGTERM");
  const { status, text } = await running;
  expect([status, deltasOf(text)]).toEqual([200, content]);
  expect(eventsOf(text).at(-1)).toEqual({ data: "[DONE]" });
  expect(await scene.server.exited).toEqual({ code: 0, signal: null });
});

test("an agent registers with the key from the address or the environment, and without one it prints the server's hint", async () => {
  const scene = await startScene({ flags: ["--agent-key", "agent-key-of-this-test"] });
  const address = `localhost:${scene.server.port}`;
  await startAgentProcess([`${address}/agents/agent-key-of-this-test`, "--echo"]);
  await startAgentProcess([address, "--echo"], { env: { AGENT_KEY: "agent-key-of-this-test" } });
  expect(await scene.connections()).toHaveLength(2);
  for (const [args, hint] of [
    [[], /refused \(401\): This server requires a key from every agent/],
    [["--agent-key", "not-the-agent-key"], /refused \(401\): The agent key is wrong/],
  ] as const) {
    const refused = await startAgentProcess([address, "--echo", ...args], { connects: false });
    expect(await refused.exited).toEqual({ code: 1, signal: null });
    expect(refused.stderr()).toMatch(hint);
    expect(refused.stdout() + refused.stderr()).not.toContain("not-the-agent-key");
  }
});

const DISCOVERY_PORTS = [11434, 8080, 8000, 1234, 1337, 5001];
const taken = (await Promise.all(DISCOVERY_PORTS.map(isTaken))).filter((port) => port !== undefined);

/** Resolves with the port if something listens on it. */
function isTaken(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const end = (found: number | undefined) => {
      socket.destroy();
      resolve(found);
    };
    socket.on("connect", () => end(port)).on("error", () => end(undefined));
  });
}

const where = taken.length > 0 ? ` (skipped: something listens on ${taken.join(", ")})` : "";
test.skipIf(taken.length > 0)(
  `without --upstream and without a model server on the machine, the agent says what to do and exits with 1${where}`,
  async () => {
    const { code, stderr, stdout } = await runExecutable(["agent", "localhost:9"]);
    expect(code).toBe(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toContain("There is no model server on this machine");
    expect(stderr).toContain("--upstream");
    expect(stdout).toBe("");
  },
);
