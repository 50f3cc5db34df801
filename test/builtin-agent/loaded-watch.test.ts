import { describe, expect, onTestFinished, test } from "bun:test";
import { LoadedWatch } from "../../src/builtin-agent/loaded-watch.ts";
import type { LoadedModels } from "../../src/builtin-agent/models/loaded-models.ts";
import { monitorUpstream } from "../../src/builtin-agent/upstream-monitor.ts";
import { createLog } from "../../src/log/log.ts";
import type { Model } from "../../src/protocol/agent-v2.ts";
import { startAgentServer } from "../support/agent-server.ts";
import { createFakeClock } from "../support/clock.ts";
import { settle } from "../support/relay.ts";
import { until } from "../support/until.ts";
import { chat, createScriptedUpstream, offering, startBuiltinAgent } from "./start.ts";

const body = (model: string) => JSON.stringify({ stream: true, model, messages: [] });

function watch({ tells = true } = {}) {
  const clock = createFakeClock();
  const scene = {
    models: [
      { id: "hot", loaded: true },
      { id: "cold", loaded: false },
    ] as Model[],
    isBusy: false,
    looks: [] as number[],
    /** Each look ends when it does. */
    answer: Promise.resolve(),
  };
  const startedAt = clock.now();
  const watched = new LoadedWatch({
    clock,
    tellsLoaded: () => tells,
    models: () => scene.models,
    isBusy: () => scene.isBusy,
    look: () => {
      scene.looks.push((clock.now() - startedAt) / 1000);
      return scene.answer;
    },
  });
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      clock.advance(1000);
      await settle();
    }
  };
  return { clock, scene, watched, pass };
}

describe("when the loaded models are looked at", () => {
  test("an ask for a model that is not loaded leads to a look a second later, and others every 10 s", async () => {
    const { scene, watched, pass } = watch();
    scene.isBusy = true;
    watched.note(body("cold"));
    await pass(31);
    expect(scene.looks).toEqual([1, 11, 21, 31]);
  });

  test("an ask for a loaded or an unknown model leads to a look after 10 s", async () => {
    for (const text of [body("hot"), body("other"), "{}", "", '{"model":7}']) {
      const { scene, watched, pass } = watch();
      watched.note(text);
      await pass(10);
      expect(scene.looks).toEqual([10]);
    }
  });

  test("many asks lead to one look a second at most, and a slow upstream to one look at a time", async () => {
    const { scene, watched, pass } = watch();
    for (let second = 0; second < 5; second++) {
      for (let ask = 0; ask < 100; ask++) watched.note(body("cold"));
      await pass(1);
    }
    expect(scene.looks).toEqual([1, 2, 3, 4, 5]);
    const { promise, resolve } = Promise.withResolvers<void>();
    scene.answer = promise;
    watched.note(body("cold"));
    await pass(1);
    watched.note(body("cold"));
    await pass(10);
    expect(scene.looks).toEqual([1, 2, 3, 4, 5, 6]);
    resolve();
    await settle();
    await pass(1);
    expect(scene.looks).toEqual([1, 2, 3, 4, 5, 6, 17]);
  });

  test("the looks end a minute after the last ask, and leave no timer", async () => {
    const { clock, scene, watched, pass } = watch();
    watched.note(body("hot"));
    await pass(300);
    expect(scene.looks).toEqual([10, 20, 30, 40, 50, 60]);
    expect(clock.pending()).toBe(0);
  });

  test("there is no look and no timer for an upstream that does not tell, nor after the stop", async () => {
    const silent = watch({ tells: false });
    silent.watched.note(body("cold"));
    expect(silent.clock.pending()).toBe(0);
    const stopped = watch();
    stopped.watched.note(body("cold"));
    stopped.watched.stop();
    stopped.watched.note(body("cold"));
    await stopped.pass(60);
    expect([stopped.scene.looks, stopped.clock.pending()]).toEqual([[], 0]);
  });

  test("the model is found in a body with escapes, whatever texts it has", async () => {
    const { scene, watched, pass } = watch();
    scene.models = [{ id: 'say "hi"\\', loaded: false }];
    const messages = [{ role: "user", content: '"model": "other" \\"model\\":\\"other\\"' }];
    const tools = { properties: { model: { type: "string" } } };
    watched.note(JSON.stringify({ messages, tools, model: 'say "hi"\\' }, null, 2));
    await pass(1);
    expect(scene.looks).toEqual([1]);
  });
});

/** An Ollama with room for one model, which it loads when it is asked for it. */
function startOllama() {
  const state = { loaded: "a:latest", isBroken: false, looks: 0 };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/models")
        return Response.json({ data: ["a:latest", "b:latest"].map((id) => ({ id, owned_by: "library" })) });
      if (pathname === "/api/ps") {
        state.looks++;
        if (state.isBroken) return new Response("no", { status: 500 });
        return Response.json({ models: [{ name: state.loaded }] });
      }
      if (pathname !== "/v1/chat/completions") return Response.json({}, { status: 404 });
      const { model } = (await request.json()) as { model?: string };
      if (model === undefined) return Response.json({ error: "no model" }, { status: 400 });
      state.loaded = model;
      return Response.json({ object: "chat.completion", choices: [] });
    },
  });
  onTestFinished(() => server.stop(true));
  return { state, url: `http://127.0.0.1:${server.port}` };
}

test("an agent reports within a second that an ask made its upstream swap models, and nothing when it did not", async () => {
  const ollama = startOllama();
  const clock = createFakeClock();
  const server = startAgentServer();
  const builtin = startBuiltinAgent(server, { upstream: ollama.url, clock, random: () => 1 });
  const agent = await server.next();
  expect(agent.hello.models).toMatchObject([
    { id: "a:latest", loaded: true },
    { id: "b:latest", loaded: false },
  ]);
  await until(() => builtin.printed.length === 1);
  const updates = () => agent.frames.filter(({ type }) => type === "update");
  const look = async (ms: number) => {
    const before = ollama.state.looks;
    clock.advance(ms);
    await until(() => ollama.state.looks > before);
    await settle();
  };

  agent.ask({ ask: "1", body: chat("a:latest", "q", { stream: false }), stream: false });
  await agent.answer("1");
  await look(10_000);
  expect(updates()).toEqual([]);

  agent.ask({ ask: "2", body: chat("b:latest", "q", { stream: false }), stream: false });
  await agent.answer("2");
  await look(1_000);
  const swapped = await agent.frame("update");
  expect(swapped.models).toMatchObject([
    { id: "a:latest", loaded: false },
    { id: "b:latest", loaded: true },
  ]);

  // What is not known is left out.
  ollama.state.isBroken = true;
  await look(10_000);
  const unknown = await agent.frame("update", ({ models }) => models?.[0]?.loaded === undefined);
  expect(unknown.models?.map(({ id, loaded }) => [id, loaded])).toEqual([
    ["a:latest", undefined],
    ["b:latest", undefined],
  ]);
  ollama.state.isBroken = false;
  await look(10_000);
  await until(() => updates().length > 2);
  expect(updates()).toHaveLength(3);
  expect(updates()[2]).toMatchObject({ models: [{ loaded: false }, { loaded: true }] });
});

test("the answer to a look that is older than a check of the upstream counts no more", async () => {
  const { upstream, set } = createScriptedUpstream(offering("a"));
  const looks: PromiseWithResolvers<LoadedModels>[] = [];
  const clock = createFakeClock();
  const changes: unknown[] = [];
  const monitor = monitorUpstream({
    upstream: {
      ...upstream,
      loaded() {
        const look = Promise.withResolvers<LoadedModels>();
        looks.push(look);
        return look.promise;
      },
    },
    clock,
    random: () => 1,
    log: createLog({ write() {}, level: "error" }),
    onChange: () => changes.push(monitor.offer()?.models),
  });
  onTestFinished(() => monitor.stop());
  await settle();
  expect(changes).toEqual([[{ id: "a" }]]);
  void monitor.lookAtLoaded();
  set({ offer: { models: [{ id: "a", loaded: true }], endpoints: [] } });
  clock.advance(60_000);
  await settle();
  looks[0]?.resolve(new Map([["a", false]]));
  await settle();
  expect(changes.slice(1)).toEqual([[{ id: "a", loaded: true }]]);
  void monitor.lookAtLoaded();
  looks[1]?.resolve(new Map([["a", false]]));
  await settle();
  expect(changes.slice(2)).toEqual([[{ id: "a", loaded: false }]]);
});
