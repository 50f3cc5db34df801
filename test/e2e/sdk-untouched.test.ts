import { describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { shareModelApi } from "../support/model-api.ts";
import { collect } from "../support/sdks.ts";
import { eventStream, json, shareRecordingUpstream } from "../support/upstream/recording-upstream.ts";

const KEY = "key-of-the-upstream";
const upstream = shareRecordingUpstream(["mine", "org/mine:7b"]);
const api = shareModelApi({
  agents: () => [["--upstream", upstream().url, "--upstream-key", KEY]],
  flags: ["--model-alias", "gpt-4o=org/mine:7b"],
});

/** The bodies that the package passed to fetch. */
const sent: string[] = [];
const spy = (url: string | URL | Request, init?: RequestInit) => {
  sent.push(String(init?.body));
  return fetch(url, init);
};
const openai = () =>
  new OpenAI({ baseURL: api().baseURL, apiKey: api().apiKey, maxRetries: 0, fetch: spy as typeof fetch });
const anthropic = () =>
  new Anthropic({ baseURL: api().url, apiKey: api().apiKey, maxRetries: 0, fetch: spy as typeof fetch });
const received = () => upstream().requests.at(-1) ?? expect.unreachable("the upstream was not asked");

const IMAGE = `data:image/png;base64,${"iVBORw0KGgo\\n\"'".repeat(2000)}`;
const ODD = { seed: 1e21, x_unknown: { "naïve 👩‍🔬": [null, -0.5, "\u2028\ud83d\ude00\\"] } };
const CALL = {
  id: "call_1",
  type: "function",
  function: { name: "f", arguments: '{ "a" : 1.0,"b":"\\u00e9"}' },
};
const CHAT = {
  model: "mine",
  messages: [
    {
      role: "user",
      name: "ann",
      content: [
        { type: "text", text: "What is it?" },
        { type: "image_url", image_url: { url: IMAGE, detail: "low" } },
      ],
    },
    { role: "assistant", content: null, tool_calls: [CALL] },
    { role: "tool", tool_call_id: "call_1", content: "a result" },
  ],
  tools: [{ type: "function", function: { name: "f", parameters: { type: "object" }, x_vendor: true } }],
  parallel_tool_calls: true,
  logprobs: true,
  top_logprobs: 3,
  logit_bias: { "50256": -100 },
  ...ODD,
};

/** The shortest stream that is an answer. */
const STREAM = [
  'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}',
  "data: [DONE]",
];

/** Resolves with all chunks that the openai package reads. */
async function streamed(): Promise<unknown[]> {
  const options = { body: { ...CHAT, stream: true }, stream: true };
  return collect((await openai().post("/chat/completions", options)) as AsyncIterable<unknown>);
}

describe("requests of the packages", () => {
  test.each([
    ["chat/completions", CHAT],
    ["chat/completions", { ...CHAT, stream: true, stream_options: { include_usage: true, x: 1 } }],
    ["completions", { model: "mine", prompt: ["a", "b"], suffix: "c", echo: true, best_of: 3, ...ODD }],
    ["embeddings", { model: "mine", input: [[1, 2], [3]], encoding_format: "base64", ...ODD }],
    [
      "responses",
      {
        model: "mine",
        input: [{ role: "user", content: [{ type: "input_image", image_url: IMAGE }] }],
        store: true,
        previous_response_id: "resp_1",
        include: ["reasoning.encrypted_content"],
        tools: [{ type: "web_search" }],
        ...ODD,
      },
    ],
  ])("a request of the openai package to %s reaches the upstream unchanged", async (path, body) => {
    upstream().answer(() => ("stream" in body ? eventStream(STREAM) : json("{}")));
    await openai().post(`/${path}`, { body });
    expect(received().endpoint).toBe(path);
    expect(received().body).toBe(sent.at(-1) ?? "");
    expect(JSON.parse(received().body)).toEqual(body);
  });

  test("a request of the anthropic package reaches the upstream unchanged, with its version headers and without the caller's key", async () => {
    upstream().answer(() => json("{}"));
    const body = {
      model: "mine",
      max_tokens: 9,
      system: [{ type: "text", text: "s", cache_control: { type: "ephemeral" } }],
      thinking: { type: "enabled", budget_tokens: 1024 },
      messages: [
        {
          role: "user",
          content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } }],
        },
      ],
      ...ODD,
    };
    const versions = { "anthropic-version": "2023-06-01", "anthropic-beta": "one-2025-01-01,two" };
    await anthropic().post("/v1/messages", { body, headers: versions });
    const { endpoint, headers, body: arrived } = received();
    expect([endpoint, arrived]).toEqual(["messages", sent.at(-1) ?? ""]);
    expect(Object.fromEntries(headers)).toMatchObject(versions);
    expect([headers.get("authorization"), headers.get("x-api-key")]).toEqual([`Bearer ${KEY}`, KEY]);
    expect(JSON.stringify([...headers])).not.toContain(api().apiKey);
  });

  test("a request to count_tokens is passed on, and only the upstream counts", async () => {
    upstream().answer(() => json({ input_tokens: 42 }));
    const asked = { model: "mine", messages: [{ role: "user" as const, content: "Hello" }] };
    expect(await anthropic().messages.countTokens(asked)).toEqual({ input_tokens: 42 });
    expect([received().endpoint, received().body]).toEqual(["messages/count_tokens", sent.at(-1) ?? ""]);
  });

  test("an alias changes the model's name in a request and nothing else", async () => {
    upstream().answer(() => json("{}"));
    await openai().post("/chat/completions", { body: { ...CHAT, model: "gpt-4o" } });
    expect(received().body).toBe((sent.at(-1) ?? "").replace('"gpt-4o"', '"org/mine:7b"'));
  });

  test("a streamed request that does not mention usage asks for it in addition", async () => {
    upstream().answer(() => eventStream(STREAM));
    await streamed();
    const { stream_options, ...rest } = JSON.parse(received().body);
    expect([rest, stream_options]).toEqual([JSON.parse(sent.at(-1) ?? ""), { include_usage: true }]);
  });
});

describe("answers of the upstream", () => {
  const logprobs = {
    content: [
      {
        token: "é",
        logprob: -0.25,
        bytes: [195, 169],
        top_logprobs: [{ token: "e", logprob: -1.5, bytes: [101] }],
      },
    ],
  };
  const choice = {
    index: 0,
    message: { role: "assistant", content: null, tool_calls: [CALL], reasoning_content: "Hm." },
    logprobs,
    finish_reason: "tool_calls",
    x_vendor: 1,
  };

  test("tool calls, log probabilities, reasoning and unknown fields reach the packages unchanged", async () => {
    const text = `{"id":"c", "choices":[${JSON.stringify(choice)}], "created":1.50, "x_timings":{"a":1e2}}`;
    upstream().answer(() => json(text));
    const response = await openai()
      .chat.completions.create(CHAT as never)
      .asResponse();
    expect(await response.text()).toBe(text);
  });

  test("tool calls, log probabilities, reasoning and unknown fields reach the packages unchanged in a stream, in order", async () => {
    const { message, ...rest } = choice;
    const chunks = [
      { id: "c", choices: [{ index: 0, delta: { role: "assistant", reasoning_content: "Hm." } }] },
      {
        id: "c",
        choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...CALL }] }, logprobs }],
        x_timings: { a: 1 },
      },
      { id: "c", choices: [{ ...rest, delta: {} }] },
    ];
    upstream().answer(() =>
      eventStream([...chunks.map((chunk) => `data: ${JSON.stringify(chunk)}`), "data: [DONE]"]),
    );
    expect(await streamed()).toEqual(chunks);
    expect(message.tool_calls).toEqual([CALL]);
  });
});
