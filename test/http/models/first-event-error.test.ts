import { describe, expect, test } from "bun:test";
import { startModelScene } from "../../support/model-scene.ts";
import {
  chunk,
  connectV2Agent,
  streamPieces,
  V2_HELLO,
  type V2AgentOptions,
} from "../../support/v2-agent.ts";

const BODY = { model: "m", messages: [{ role: "user", content: "hi" }], stream: true };
const HELLO = { ...V2_HELLO, endpoints: ["chat/completions", "messages"] };

/** An agent whose upstream streams these events with status 200. */
const streaming = (...events: unknown[]): V2AgentOptions => ({
  hello: HELLO,
  onAsk: ({ ask }, agent) => {
    agent.say({ type: "accept", ask });
    for (const event of events)
      agent.say({ type: "delta", ask, data: typeof event === "string" ? event : JSON.stringify(event) });
    agent.say({ type: "done", ask, status: 200 });
  },
});

const RETRYABLE: [string, unknown, number][] = [
  ["no money", { error: { message: "Insufficient credits", code: 402 } }, 402],
  ["too many requests", { error: { message: "Rate limited", code: 429 } }, 429],
  ["an overloaded model", { error: { message: "Overloaded", status: 503 } }, 503],
  ["a failure beside a choice", { error: { message: "Provider", code: 502 }, choices: [{ delta: {} }] }, 502],
  ["a failure without a status", { error: "out of memory" }, 502],
  ["a reason in place of an answer", { detail: "out of memory" }, 502],
  ["a message with a status", { message: "internal", status: 503 }, 503],
  ["the end mark", "[DONE]", 502],
  ["an error of Anthropic's", { type: "error", error: { type: "overloaded_error", message: "Busy" } }, 502],
];

describe("a stream that begins with an error", () => {
  test.each(RETRYABLE)("%s moves the request to another agent", async (_, event) => {
    const { server, post, agent } = await startModelScene(streaming(event, "[DONE]"));
    const other = await connectV2Agent(server.url, {
      hello: HELLO,
      onAsk: ({ ask }, own) => streamPieces(own, ask, ["from another"]),
    });
    for (const _ of [1, 2]) {
      const response = await post("chat/completions", BODY);
      expect([response.status, (await response.text()).includes("from another")]).toEqual([200, true]);
    }
    const asks = agent.frames.filter(({ type }) => type === "ask").length;
    expect(agent.frames.filter(({ type }) => type === "cancel").length).toBe(asks);
    expect(asks).toBeGreaterThan(0);
    other.stop();
  });

  test.each(RETRYABLE)("%s has a status when there is no other agent", async (_, event, status) => {
    const { post } = await startModelScene(streaming(event, "[DONE]"));
    const response = await post("chat/completions", BODY);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toContain("application/json");
    const { error } = (await response.json()) as { error: unknown };
    expect(error).toBeDefined();
  });

  test("a fault of the request has its status, and no other agent gets the request", async () => {
    const error = { message: "too long", type: "invalid_request_error", code: "context_length_exceeded" };
    const { server, post } = await startModelScene(streaming({ error }, "[DONE]"));
    const other = await connectV2Agent(server.url, {
      ...streaming({ error }, "[DONE]"),
    });
    const response = await post("chat/completions", BODY);
    expect([response.status, await response.json()]).toEqual([400, { error }]);
    const asked = [...other.frames].filter(({ type }) => type === "ask").length;
    expect(asked).toBeLessThanOrEqual(1);
    other.stop();
  });

  test("a refused key shows nothing of the agent's upstream", async () => {
    const { post } = await startModelScene(streaming({ error: { message: "bad key sk-123", code: 401 } }));
    const response = await post("chat/completions", BODY);
    const text = await response.text();
    expect([response.status, text.includes("sk-123")]).toEqual([502, false]);
  });

  test("an error after a first event stays in the stream", async () => {
    const { post, agent } = await startModelScene(
      streaming(chunk("a"), { error: { code: 429, message: "no" } }),
    );
    const response = await post("chat/completions", BODY);
    const text = await response.text();
    expect([response.status, text.includes('"message":"no"'), text.includes("[DONE]")]).toEqual([
      200,
      true,
      false,
    ]);
    expect(agent.frames.some(({ type }) => type === "cancel")).toBe(false);
  });

  test("a first event that only speaks of an error is part of the answer", async () => {
    const { post } = await startModelScene(streaming(chunk('{"error":{"message":"x"}}'), "[DONE]"));
    const response = await post("chat/completions", BODY);
    expect([response.status, (await response.text()).endsWith("data: [DONE]\n\n")]).toEqual([200, true]);
  });
});

test("an event that is known by its type may have any reason", async () => {
  const { post } = await startModelScene(streaming({ type: "status", message: "queued" }, "[DONE]"));
  const response = await post("chat/completions", BODY);
  expect([response.status, (await response.text()).includes("queued")]).toEqual([200, true]);
});
