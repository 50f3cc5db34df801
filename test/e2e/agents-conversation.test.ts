import { expect, test } from "bun:test";
import { type AgentProcess, startAgentProcess } from "../support/agent-process.ts";
import { type Scene, startScene } from "../support/scene.ts";
import { askStreamed, type StreamPath } from "../support/stream-caller.ts";
import { until } from "../support/until.ts";
import { type FaultUpstream, startFaultUpstream } from "../support/upstream/start.ts";

interface Message {
  role: string;
  content: string;
}

interface Setup {
  scene: Scene;
  upstream: FaultUpstream;
  /** Starts another agent at the same upstream. */
  startAgent(): Promise<AgentProcess>;
}

async function startSetup(): Promise<Setup> {
  const upstream = await startFaultUpstream();
  const scene = await startScene();
  const startAgent = () => startAgentProcess([scene.url, "--upstream", upstream.url]);
  return { scene, upstream, startAgent };
}

/** Kills the agent and waits until the server has noticed. */
async function kill9(scene: Scene, agent: AgentProcess) {
  const before = (await scene.connections()).length;
  agent.kill("SIGKILL");
  await agent.exited;
  await until(async () => (await scene.connections()).length < before);
}

test("a conversation keeps every word over three turns, each by another agent after the last one was killed", async () => {
  const { scene, startAgent } = await startSetup();
  const messages: Message[] = [];
  let ids = {};
  for (const content of ["first", "second\n\n日本語", "third 👩‍🔬"]) {
    const agent = await startAgent();
    const { status, body } = await scene.ask({ content, model: "recites", ...ids });
    messages.push({ role: "user", content });
    expect([status, JSON.parse(body.content ?? "null")]).toEqual([200, messages]);
    messages.push({ role: "assistant", content: body.content ?? "" });
    ids = { conversation_id: body.conversation_id, parent_id: body.response_id };
    await kill9(scene, agent);
  }
});

for (const model of ["slow-head", "slow-first"]) {
  test(`if an agent is killed before the first byte (${model}), another one answers, and the caller does not notice`, async () => {
    const { scene, upstream, startAgent } = await startSetup();
    const first = await startAgent();
    const opening = await scene.ask({ content: "the opening", model: "echo" });
    const ids = { conversation_id: opening.body.conversation_id, parent_id: opening.body.response_id };
    await startAgent();
    await upstream.reset();

    const content = JSON.stringify({ delay_ms: 3000 });
    const turn = askStreamed(scene.url, "/api/ask", {
      key: scene.adminKey,
      body: { content, model, ...ids },
    });
    const chat = askStreamed(scene.url, "/v1/chat/completions", {
      key: scene.adminKey,
      body: { model, messages: [{ role: "user", content }] },
    });
    // The turn goes to the conversation's agent, the chat to the agent with the lower load.
    await upstream.openUntil(({ open }) => open === 2);
    await kill9(scene, first);
    for (const { how, text } of await Promise.all([turn, chat]))
      expect([how, text]).toEqual(["whole", content]);
    const { started, open } = await upstream.open();
    expect(started).toBeGreaterThan(2);
    expect(open).toBe(0);

    const { body } = await scene.ask({
      content: "and now?",
      model: "recites",
      conversation_id: ids.conversation_id,
    });
    expect(JSON.parse(body.content ?? "null").map((message: Message) => message.content)).toEqual([
      "the opening",
      "the opening",
      content,
      content,
      "and now?",
    ]);
  });
}

test("if an agent is killed after the first byte, the stream ends with an error and no [DONE], and the turn is not kept", async () => {
  const { scene, startAgent } = await startSetup();
  const first = await startAgent();
  const opening = await scene.ask({ content: "the opening", model: "echo" });
  const ids = { conversation_id: opening.body.conversation_id };
  const content = "words that stall";
  const messages = [{ role: "user", content }];
  const begun: Promise<void>[] = [];
  const begin = (path: StreamPath) => {
    const words = Promise.withResolvers<void>();
    begun.push(words.promise);
    return askStreamed(scene.url, path, {
      key: scene.adminKey,
      body: { content, messages, model: "stalls", ...ids },
      onReceived: (received) => {
        if (received.includes("stall")) words.resolve();
      },
    });
  };
  const streams = [begin("/api/ask"), begin("/v1/chat/completions")];
  await Promise.all(begun);
  await startAgent();
  await kill9(scene, first);
  for (const { how, status, text, error, body } of await Promise.all(streams)) {
    expect([how, status, text]).toEqual(["failed", 200, "words that stall"]);
    expect(error).toMatch(
      /^Failed to read response from the client$|^The agent was lost: the connection was closed\.$/,
    );
    expect(body).not.toContain("[DONE]");
  }

  const { body } = await scene.ask({ content: "go on", model: "recites", ...ids });
  expect(JSON.parse(body.content ?? "null")).toEqual([
    { role: "user", content: "the opening" },
    { role: "assistant", content: "the opening" },
    { role: "user", content: "go on" },
  ]);
});

test("if an upstream is killed during a stream, the stream ends with an error, and the conversation continues once the upstream is back", async () => {
  const { scene, upstream, startAgent } = await startSetup();
  const agent = await startAgent();
  const opening = await scene.ask({ content: "the opening", model: "echo" });
  const begun = Promise.withResolvers<void>();
  const stream = askStreamed(scene.url, "/api/ask", {
    key: scene.adminKey,
    body: { content: "words that stall", model: "stalls" },
    onReceived: () => begun.resolve(),
  });
  await begun.promise;
  upstream.kill("SIGKILL");
  const { how, error } = await stream;
  expect([how, error]).toEqual(["failed", "The agent could not answer"]);
  await agent.output(/is not available/);

  await startFaultUpstream({ port: upstream.port });
  await agent.output(/is available again/);
  const { status, body } = await scene.ask({
    content: "go on",
    model: "recites",
    conversation_id: opening.body.conversation_id,
  });
  expect([status, JSON.parse(body.content ?? "null").length]).toEqual([200, 3]);
});
