import { describe, expect, onTestFinished, test } from "bun:test";
import { createHttpUpstream } from "../../../src/builtin-agent/http-upstream.ts";

type Reply = () => unknown;

/** Starts an upstream that answers these paths with JSON, or with the response given, and others with a 404. */
function startUpstream(replies: Record<string, Reply>, models: string[] = []) {
  const asked: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      const reply = await replies[pathname]?.();
      if (reply instanceof Response) return reply;
      return reply === undefined ? Response.json({}, { status: 404 }) : Response.json(reply);
    },
  });
  onTestFinished(() => server.stop(true));
  const upstream = createHttpUpstream({
    url: `http://127.0.0.1:${server.port}/v1`,
    models,
    endpoints: ["chat/completions"],
    limits: { probeMs: 500 },
  });
  const signal = new AbortController().signal;
  return {
    /** Returns of each offered model whether it is loaded, after a check. */
    async check() {
      const status = await upstream.check(signal);
      const offered = "offer" in status ? status.offer.models : [];
      return Object.fromEntries(offered.map(({ id, loaded }) => [id, loaded]));
    },
    /** Returns what a look shows, and the paths that it asked. */
    async look() {
      asked.length = 0;
      const loaded = Object.fromEntries((await upstream.loaded?.(signal)) ?? []);
      return { loaded, asked: [...asked] };
    },
    tellsLoaded: () => upstream.tellsLoaded?.(),
  };
}

const owned = (owner: string, ...ids: string[]) => ({
  data: ids.map((id) => ({ id, object: "model", owned_by: owner })),
});

/** The shapes are those of the sources that `loaded-models.ts` names. */
const router = (states: Record<string, unknown>) => ({
  object: "list",
  data: Object.entries(states).map(([id, value]) => ({
    ...{ id, object: "model", owned_by: "llamacpp", status: { value, args: [], preset: "" } },
  })),
});

describe("which models an upstream has in memory", () => {
  test("Ollama tells it in /api/ps, under either name of a model, and cloud models stay unknown", async () => {
    let running = [{ name: "a:latest", model: "a:latest", size_vram: 1, expires_at: "2026-01-01T00:00:00Z" }];
    const { check, look, tellsLoaded } = startUpstream({
      "/v1/models": () => owned("library", "a:latest", "b:7b", "gpt-oss:120b-cloud", "kimi:cloud"),
      "/api/ps": () => ({ models: running }),
    });
    const cloud = { "gpt-oss:120b-cloud": undefined, "kimi:cloud": undefined };
    expect(await check()).toEqual({ "a:latest": true, "b:7b": false, ...cloud });
    expect(tellsLoaded()).toBe(true);
    running = [];
    expect(await look()).toEqual({ loaded: { "a:latest": false, "b:7b": false }, asked: ["/api/ps"] });
    const replies = {
      "/v1/models": () => owned("library", "a:latest", "b:7b"),
      "/api/ps": () => ({ models: [{ name: "a:latest" }] }),
    };
    const chosen = startUpstream(replies, ["a", "b:7b", "other"]);
    expect(await chosen.check()).toEqual({ a: true, "b:7b": false, other: undefined });
  });

  test("llama-swap tells it in /running, and the models of its peers stay unknown", async () => {
    let state = "starting";
    const { check, look } = startUpstream({
      "/v1/models": () => ({
        data: [...owned("llama-swap", "a", "b").data, ...owned("peer-1", "far").data],
      }),
      "/running": () => ({ running: [{ model: "a", state, cmd: "llama-server", proxy: "x", ttl: 0 }] }),
    });
    expect(await check()).toEqual({ a: false, b: false, far: undefined });
    state = "ready";
    expect(await look()).toEqual({ loaded: { a: true, b: false }, asked: ["/running"] });
  });

  test("LM Studio tells it in /api/v0/models", async () => {
    const state = (id: string, value: unknown) => ({ id, object: "model", type: "llm", state: value });
    const { check, look } = startUpstream({
      "/v1/models": () => owned("organization_owner", "a", "b", "odd", "missing"),
      "/api/v0/models": () => ({
        data: [state("a", "loaded"), state("b", "not-loaded"), state("odd", 7), null],
      }),
    });
    expect(await check()).toEqual({ a: true, b: false, odd: undefined, missing: undefined });
    expect(await look()).toEqual({ loaded: { a: true, b: false }, asked: ["/api/v0/models"] });
  });

  test("the router of llama.cpp tells it in its list of models", async () => {
    let states: Record<string, unknown> = { a: "loaded", b: "unloaded", c: "loading", d: "sleeping", e: "?" };
    const { check, look } = startUpstream({ "/v1/models": () => router(states) });
    expect(await check()).toEqual({ a: true, b: false, c: false, d: false, e: undefined });
    states = { a: "unloaded", b: "loaded" };
    expect(await look()).toEqual({ loaded: { a: false, b: true }, asked: ["/v1/models"] });
  });

  test.each([
    ["a llama.cpp with one model", owned("llamacpp", "gguf")],
    ["vLLM", owned("vllm", "a")],
    ["a paid API", owned("openai", "gpt-5")],
  ])("%s does not tell, and is asked for nothing", async (_, models) => {
    const { check, look, tellsLoaded } = startUpstream({ "/v1/models": () => models });
    expect(Object.values(await check())).toEqual([undefined]);
    expect(tellsLoaded()).toBe(false);
    expect((await look()).loaded).toEqual({});
  });

  test.each<[string, Reply]>([
    ["an error", () => Response.json({ models: [{ name: "a" }] }, { status: 500 })],
    ["a page", () => new Response("<html>models</html>")],
    ["another shape", () => ({ models: { a: true } })],
    ["a list of other things", () => [{ name: "a" }]],
    ["too much", () => ({ models: [], padding: "x".repeat(5_000_000) })],
    ["deep nesting", () => new Response(`{"models":${"[".repeat(100_000)}`)],
    ["nothing in time", () => new Promise(() => {})],
  ])("with %s in place of the answer, it is unknown, and the models are offered", async (_, reply) => {
    const { check, look } = startUpstream({ "/v1/models": () => owned("library", "a"), "/api/ps": reply });
    expect(await check()).toEqual({ a: undefined });
    expect((await look()).loaded).toEqual({});
  });
});
