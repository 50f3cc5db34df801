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

interface Place {
  scene: Scene;
  upstream: FaultUpstream;
  /** Starts one more agent, at the same upstream. */
  bring(): Promise<AgentProcess>;
}

async function startPlace(): Promise<Place> {
  const upstream = await startFaultUpstream();
  const scene = await startScene();
  const bring = () => startAgentProcess([scene.url, "--upstream", upstream.url]);
  return { scene, upstream, bring };
}

/** Kills the agent for good and waits until the server knows. */
async function kill9(scene: Scene, agent: AgentProcess) {
  const before = (await scene.connections()).length;
  agent.kill("SIGKILL");
  await agent.exited;
  await until(async () => (await scene.connections()).length < before);
}

test("three turns, each by another agent after the one before was killed with kill -9: every word is kept", async () => {
  const { scene, bring } = await startPlace();
  const messages: Message[] = [];
  let ids = {};
  for (const content of ["first", "second\n\n日本語", "third 👩‍🔬"]) {
    const agent = await bring();
    const { status, body } = await scene.ask({ content, model: "recites", ...ids });
    messages.push({ role: "user", content });
    expect([status, JSON.parse(body.content ?? "null")]).toEqual([200, messages]);
    messages.push({ role: "assistant", content: body.content ?? "" });
    ids = { conversation_id: body.conversation_id, parent_id: body.response_id };
    await kill9(scene, agent);
  }
});

for (const model of ["slow-head", "slow-first"]) {
  test(`an agent killed with kill -9 before the first byte (${model}): another answers the same ask, which sees nothing of it`, async () => {
    const { scene, upstream, bring } = await startPlace();
    const first = await bring();
    const opening = await scene.ask({ content: "the opening", model: "echo" });
    const ids = { conversation_id: opening.body.conversation_id, parent_id: opening.body.response_id };
    await bring();
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
    // The turn goes to the conversation's own agent, the chat to whichever has the lower load.
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

test("an agent killed with kill -9 after the first byte: a clear error in band, no [DONE], and the turn is not kept", async () => {
  const { scene, bring } = await startPlace();
  const first = await bring();
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
  await bring();
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

test("an upstream that is killed in the middle of a stream: a clear error in band; it is back, and the conversation goes on", async () => {
  const { scene, upstream, bring } = await startPlace();
  const agent = await bring();
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
