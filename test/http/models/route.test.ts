import { describe, expect, test } from "bun:test";
import { blocksOf, startModelScene } from "../../support/model-scene.ts";
import { V2_HELLO, type V2AgentOptions } from "../../support/v2-agent.ts";

const CHAT = "chat/completions";
/** A body whose number formats, unknown fields, white space and escapes do not survive a parser unchanged. */
const ODD =
  '{ "model":"m", "messages":[{"role":"user","content":"h\\u00e9"}], "seed":1.0, "x_unknown":{"b":1e2,"a":[]} }';

const answering = (status: number, body: string): V2AgentOptions => ({
  onAsk: ({ ask }, agent) => agent.say({ type: "done", ask, status, body }),
});
const streaming = (...events: (string | { data: string; event: string })[]): V2AgentOptions => ({
  onAsk: ({ ask }, agent) => {
    for (const event of events)
      agent.say({ type: "delta", ask, ...(typeof event === "string" ? { data: event } : event) });
    agent.say({ type: "done", ask, status: 200 });
  },
});

describe("a request that passes through", () => {
  test("the request reaches the agent, and the answer the caller, byte for byte", async () => {
    const body = '{"id":"x",  "choices":[], "created":1.50}';
    const { post, agent } = await startModelScene(answering(200, body));
    const response = await post(CHAT, ODD);
    expect(await response.text()).toBe(body);
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(response.headers.get("x-request-id")).toMatch(/^req_/);
    expect(await agent.next("ask")).toMatchObject({ endpoint: CHAT, stream: false, body: ODD });
  });

  test("an alias is replaced by the model's name, and nothing else in the body changes", async () => {
    const { post, agent } = await startModelScene(answering(200, "{}"), ["--model-alias", "gpt-4o=m"]);
    await post(CHAT, ODD.replace('"m"', '"gpt-4o"'));
    expect((await agent.next("ask")).body).toBe(ODD);
  });

  test("every endpoint of an agent can be called", async () => {
    const endpoints = ["embeddings", "completions", "responses", "messages", "messages/count_tokens"];
    const { post, agent } = await startModelScene({
      ...answering(200, "{}"),
      hello: { ...V2_HELLO, endpoints },
    });
    for (const endpoint of endpoints) {
      expect((await post(endpoint, { model: "m", input: "x" })).status).toBe(200);
      expect((await agent.next("ask")).endpoint).toBe(endpoint as never);
    }
  });

  test("a refusal of the upstream keeps its status and body", async () => {
    const body =
      '{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}';
    const { post } = await startModelScene(answering(400, body));
    for (const stream of [false, true]) {
      const response = await post(CHAT, { model: "m", messages: [], stream });
      expect([response.status, await response.text()]).toEqual([400, body]);
    }
  });

  test("a failure of the upstream keeps its status, its body, and its retry headers", async () => {
    const body = '{"error":{"message":"slow down","type":"rate_limit_error","code":"rate_limit_exceeded"}}';
    const error = { message: "slow down", type: "rate_limit_error", code: "rate_limit_exceeded" };
    const { post } = await startModelScene({
      onAsk: ({ ask }, agent) =>
        agent.say({ type: "fail", ask, status: 429, error, body, retryable: true, retry_after_ms: 2500 }),
    });
    for (const stream of [false, true]) {
      const response = await post(CHAT, { model: "m", messages: [], stream });
      expect([response.status, await response.text()]).toEqual([429, body]);
      expect(response.headers.get("retry-after")).toBe("3");
    }
  });

  test("an upstream's retry-after is capped at what clients heed", async () => {
    const headers = { "retry-after": "600", "retry-after-ms": "600000" };
    const { post } = await startModelScene({
      onAsk: ({ ask }, agent) =>
        agent.say({ type: "done", ask, status: 400, body: '{"error":{"message":"x"}}', headers }),
    });
    const response = await post(CHAT, { model: "m", messages: [] });
    expect(["retry-after", "retry-after-ms"].map((name) => response.headers.get(name))).toEqual([
      "60",
      "60000",
    ]);
  });

  test("only those headers of an upstream's error are passed on that say what to do", async () => {
    const headers = {
      "x-should-retry": "false",
      "x-ratelimit-limit-requests": "9",
      "set-cookie": "a=b",
      server: "x",
    };
    const body = '{"error":{"message":"no quota","code":"insufficient_quota"}}';
    let fails = false;
    const { post } = await startModelScene({
      onAsk: ({ ask }, agent) =>
        fails
          ? agent.say({
              type: "fail",
              ask,
              status: 429,
              error: { message: "x" },
              body,
              headers,
              retryable: false,
            })
          : agent.say({ type: "done", ask, status: 429, body, headers }),
    });
    for (fails of [false, true]) {
      const response = await post(CHAT, { model: "m", messages: [] });
      expect([response.status, await response.text()]).toEqual([429, body]);
      expect(response.headers.get("x-should-retry")).toBe("false");
      expect(response.headers.get("x-ratelimit-limit-requests")).toBe("9");
      expect(response.headers.get("set-cookie")).toBeNull();
      expect(response.headers.get("server")).toBeNull();
    }
  });

  test("the agent gets the version headers of Anthropic's API, and no key", async () => {
    const { post, agent } = await startModelScene({
      ...answering(200, "{}"),
      hello: { ...V2_HELLO, endpoints: ["messages"] },
    });
    const versions = { "anthropic-version": "2023-06-01", "anthropic-beta": "a,b" };
    await post(
      "messages",
      { model: "m" },
      { headers: { "x-api-key": "admin-key-of-the-tests", cookie: "x", ...versions } },
    );
    expect((await agent.next("ask")).headers).toEqual(versions);
  });

  test("a caller is not told that their key is wrong when the agent's is", async () => {
    const error = { message: "the upstream refused the agent's key" };
    const { post } = await startModelScene({
      onAsk: ({ ask }, agent) => agent.say({ type: "fail", ask, status: 401, error, retryable: true }),
    });
    const response = await post(CHAT, { model: "m", messages: [] });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({
      error: { type: "upstream_error", code: "agent_error", message: expect.stringContaining("agent's key") },
    });
  });
});

describe("a stream that passes through", () => {
  const FIRST = '{"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"}}]}';
  const STOP = '{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}';
  const USAGE = '{"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}';

  test("a stream has the upstream's events, and the headers that keep proxies from buffering", async () => {
    const { post } = await startModelScene(streaming(FIRST, STOP, "[DONE]"));
    const response = await post(CHAT, { model: "m", messages: [], stream: true });
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-cache");
    expect(response.headers.get("x-accel-buffering")).toBe("no");
    expect(await response.text()).toBe(`data: ${FIRST}\n\ndata: ${STOP}\n\ndata: [DONE]\n\n`);
  });

  test("the upstream is asked for usage, which is hidden from a caller who did not ask for it", async () => {
    const withNull = FIRST.replace(/}$/, ',"usage":null}');
    const { post, agent } = await startModelScene(streaming(withNull, STOP, USAGE, "[DONE]"));
    const response = await post(CHAT, '{"model":"m","messages":[],"stream":true}');
    expect(await blocksOf(response)).toEqual([`data: ${FIRST}`, `data: ${STOP}`, "data: [DONE]"]);
    const { body } = await agent.next("ask");
    expect(body).toBe('{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}');
  });

  test("a caller who asked for usage gets it", async () => {
    const { post, agent } = await startModelScene(streaming(FIRST, STOP, USAGE, "[DONE]"));
    const body = '{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true, "x":1}}';
    const blocks = await blocksOf(await post(CHAT, body));
    expect(blocks).toEqual([FIRST, STOP, USAGE, "[DONE]"].map((data) => `data: ${data}`));
    expect((await agent.next("ask")).body).toBe(body);
  });

  test("a stream ends with [DONE] even if the upstream forgets it", async () => {
    const { post } = await startModelScene(streaming(FIRST, STOP));
    const blocks = await blocksOf(await post(CHAT, { model: "m", messages: [], stream: true }));
    expect(blocks.at(-1)).toBe("data: [DONE]");
  });

  test("a stream keeps the names of events, and gets no [DONE] in an API that has none", async () => {
    const created = { event: "response.created", data: '{"type":"response.created"}' };
    const { post } = await startModelScene({
      ...streaming(created),
      hello: { ...V2_HELLO, endpoints: ["responses"] },
    });
    const blocks = await blocksOf(await post("responses", { model: "m", input: "x", stream: true }));
    expect(blocks).toEqual([`event: response.created\ndata: ${created.data}`]);
  });

  test.each([
    ["chat/completions", (told: string) => JSON.parse(told.slice(6)).error.code, "agent_error"],
    ["responses", (told: string) => told.split("\n")[0], "event: response.failed"],
    ["messages", (told: string) => told.split("\n")[0], "event: error"],
  ])(
    "a stream of %s that fails after its first event ends with an error event, and no usual end",
    async (endpoint, read, expected) => {
      const { post } = await startModelScene({
        hello: { ...V2_HELLO, endpoints: [endpoint] },
        onAsk: ({ ask }, agent) => {
          agent.say({ type: "delta", ask, data: '{"response":{"id":"resp_1"}}' });
          agent.say({ type: "fail", ask, error: { message: "it broke" }, retryable: false });
        },
      });
      const response = await post(endpoint, { model: "m", stream: true });
      expect(response.status).toBe(200);
      const [, told = "", ...more] = await blocksOf(response);
      expect(more).toEqual([]);
      expect(told).toContain("it broke");
      expect(read(told)).toBe(expected);
    },
  );
});

describe("an upstream that answers a request to stream with a whole body", () => {
  const WHOLE = {
    id: "c",
    object: "chat.completion",
    created: 1,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: "Hi", tool_calls: [{ id: "t", type: "function" }] },
        finish_reason: "tool_calls",
      },
    ],
    usage: { prompt_tokens: 1, completion_tokens: 1 },
  };

  test("a whole body is turned into events, as clients would take no events for an empty answer", async () => {
    const { post } = await startModelScene(answering(200, JSON.stringify(WHOLE)));
    const response = await post(CHAT, { model: "m", messages: [], stream: true });
    expect(response.headers.get("content-type")).toStartWith("text/event-stream");
    const blocks = (await blocksOf(response)).map((block) => block.slice(6));
    expect(blocks.at(-1)).toBe("[DONE]");
    const [first, last, ...more] = blocks.slice(0, -1).map((data) => JSON.parse(data));
    expect(more).toEqual([]);
    expect(first).toMatchObject({
      id: "c",
      object: "chat.completion.chunk",
      choices: [
        { index: 0, delta: { content: "Hi", tool_calls: [{ index: 0, id: "t" }] }, finish_reason: null },
      ],
    });
    expect(last.choices).toEqual([{ index: 0, delta: {}, finish_reason: "tool_calls" }]);
  });

  test("the usage of a whole body becomes an event if the caller asked for it", async () => {
    const { post } = await startModelScene(answering(200, JSON.stringify(WHOLE)));
    const body = { model: "m", messages: [], stream: true, stream_options: { include_usage: true } };
    const blocks = await blocksOf(await post(CHAT, body));
    expect(JSON.parse(blocks.at(-2)?.slice(6) ?? "")).toMatchObject({ choices: [], usage: WHOLE.usage });
  });
});

test("a caller who hangs up frees the slot and the agent", async () => {
  const { post, agent } = await startModelScene({ hello: { ...V2_HELLO, slots: 1 } });
  const caller = new AbortController();
  const asked = post(CHAT, { model: "m", messages: [] }, { signal: caller.signal }).catch(() => "gone");
  const { ask } = await agent.next("ask");
  caller.abort();
  expect((await agent.next("cancel")).ask).toBe(ask);
  expect(await asked).toBe("gone");
  const next = post(CHAT, { model: "m", messages: [] });
  agent.say({ type: "done", ask: (await agent.next("ask")).ask, status: 200, body: "{}" });
  expect((await next).status).toBe(200);
});

test("an answer that is not streamed may take longer than the first byte of a stream", async () => {
  const { post, agent } = await startModelScene({}, ["--first-byte", "200ms"]);
  const asked = post(CHAT, { model: "m", messages: [] });
  const { ask, deadline_ms } = await agent.next("ask");
  expect(deadline_ms).toBe(600_000);
  await Bun.sleep(400);
  agent.say({ type: "done", ask, status: 200, body: "{}" });
  expect((await asked).status).toBe(200);
});
