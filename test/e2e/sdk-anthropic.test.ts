import { describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { shareModelApi } from "../support/model-api.ts";
import { anthropicAt, collect, rejectionOf } from "../support/sdks.ts";
import { countWords, modelText } from "../support/upstream/model-answers.ts";
import { shareModelUpstream } from "../support/upstream/model-upstream.ts";

const QUESTION = "two  words\n日本語 👩‍🔬";
const ANSWER = modelText(QUESTION);
const TOOLS_QUESTION = "How is it in Paris and Rome?";
const base = { model: "small", max_tokens: 99 };
const user = (content: string) => [{ role: "user" as const, content }];
const input_schema = { type: "object" as const, properties: { city: { type: "string" as const } } };

const upstream = shareModelUpstream();

describe.each([
  ["by its own endpoints", []],
  ["by chat completions only", ["--endpoint", "chat/completions"]],
])("the anthropic package, with an upstream asked %s", (_, endpoints) => {
  const api = shareModelApi({ agents: () => [["--upstream", upstream().url, ...endpoints]] });
  const client = () => anthropicAt(api());

  test("the anthropic package receives a message with the upstream's token counts and a request id", async () => {
    const { data, response } = await client()
      .messages.create({ ...base, messages: user(QUESTION) })
      .withResponse();
    expect(data).toMatchObject({
      type: "message",
      role: "assistant",
      content: [{ type: "text", text: ANSWER }],
      stop_reason: "end_turn",
      usage: { input_tokens: countWords(QUESTION), output_tokens: countWords(ANSWER) },
    });
    expect(response.headers.get("x-request-id")).toMatch(/^req_/);
  });

  test("the anthropic package streams a message by its events, and assembles the whole message", async () => {
    const body = { ...base, messages: user(QUESTION) };
    const events = await collect(await client().messages.create({ ...body, stream: true }));
    const types = events.map(({ type }) => type).filter((type) => type !== "content_block_delta");
    expect(types).toEqual([
      "message_start",
      "content_block_start",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    const stream = client().messages.stream(body);
    const pieces: string[] = [];
    stream.on("text", (piece) => pieces.push(piece));
    const message = await stream.finalMessage();
    expect(pieces.join("")).toBe(ANSWER);
    expect(message.content).toMatchObject([{ type: "text", text: ANSWER }]);
    expect(message.usage.output_tokens).toBe(countWords(ANSWER));
  });

  test("the anthropic package gets parallel tool calls, streamed or not, and sends their results", async () => {
    const tools = ["weather", "news"].map((name) => ({ name, input_schema }));
    const body = { ...base, tools, messages: user(TOOLS_QUESTION) };
    const called = await client().messages.create(body);
    expect(called).toMatchObject({
      stop_reason: "tool_use",
      content: [
        { type: "tool_use", name: "weather", input: { city: "Paris" } },
        { type: "tool_use", name: "news", input: { city: "Rome" } },
      ],
    });
    const streamed = await client().messages.stream(body).finalMessage();
    expect(streamed).toMatchObject({ content: called.content, stop_reason: "tool_use" });

    const results = called.content.flatMap((block) =>
      block.type === "tool_use"
        ? [{ type: "tool_result" as const, tool_use_id: block.id, content: `${block.name} of it` }]
        : [],
    );
    const messages: Anthropic.MessageParam[] = [
      ...body.messages,
      { role: "assistant", content: called.content },
      { role: "user", content: results },
    ];
    const after = await client().messages.create({ ...body, messages });
    expect(after.content).toMatchObject([
      { type: "text", text: "The tools said: weather of it, news of it" },
    ]);
  });

  test.each([false, true])(
    "the tool runner of the anthropic package reaches the answer (streamed: %p)",
    async (stream) => {
      const called: string[] = [];
      const tools = ["weather", "news"].map((name) =>
        betaTool({
          name,
          description: name,
          inputSchema: input_schema,
          run: ({ city }) => {
            called.push(`${name} ${city}`);
            return `${name} of ${city}`;
          },
        }),
      );
      const body = { ...base, tools, messages: user(TOOLS_QUESTION) };
      const runner = client().beta.messages.toolRunner({ ...body, stream });
      const message = await runner.runUntilDone();
      expect(message.content).toMatchObject([
        { type: "text", text: "The tools said: weather of Paris, news of Rome" },
      ]);
      expect(called).toEqual(["weather Paris", "news Rome"]);
    },
  );

  test.each([
    [400, Anthropic.BadRequestError, "invalid_request_error"],
    [429, Anthropic.RateLimitError, "rate_limit_error"],
    [500, Anthropic.InternalServerError, "api_error"],
    [503, Anthropic.InternalServerError, undefined],
  ])("the anthropic package throws its own error for an upstream's %i", async (status, Kind, type) => {
    for (const stream of [false, true]) {
      const asked = client().messages.create({ ...base, messages: user(`fail with ${status}`), stream });
      const thrown = await rejectionOf(asked);
      expect(thrown).toBeInstanceOf(Kind);
      expect(thrown).toMatchObject({ status, requestID: expect.stringMatching(/^req_/) });
      expect((thrown as Error).message).toContain(`It failed with ${status}`);
      // The upstream's own message is passed on.
      if (endpoints.length > 0 && type) expect(thrown).toMatchObject({ type });
    }
  });

  test("the anthropic package throws its own errors for a wrong key, model, path and body", async () => {
    const stranger = anthropicAt({ ...api(), apiKey: "nobody's" });
    const body = { ...base, messages: user(QUESTION) };
    expect(await rejectionOf(stranger.messages.create(body))).toMatchObject({
      status: 401,
      type: "authentication_error",
    });
    const unknown = await rejectionOf(client().messages.create({ ...body, model: "unknown" }));
    expect(unknown).toBeInstanceOf(Anthropic.NotFoundError);
    expect(unknown).toMatchObject({
      type: "not_found_error",
      message: expect.stringContaining("small-slow"),
    });
    const invalid = await rejectionOf(client().messages.create({ ...body, model: 7 } as never));
    expect(invalid).toBeInstanceOf(Anthropic.BadRequestError);
    expect(invalid).toMatchObject({ type: "invalid_request_error" });
  });

  test("the anthropic package may send its key in either header, or in both, or beside an old key", async () => {
    const { url, apiKey } = api();
    const body = { ...base, messages: user(QUESTION) };
    const withBoth = (key: string) => ({ authToken: apiKey, defaultHeaders: { "x-api-key": key } });
    for (const keys of [{ authToken: apiKey }, withBoth(apiKey), withBoth("another")]) {
      const sdk = new Anthropic({ baseURL: url, maxRetries: 0, ...keys });
      expect((await sdk.messages.create(body)).content).toHaveLength(1);
    }
    const torn = new Anthropic({ baseURL: url, maxRetries: 0, ...withBoth("another"), authToken: "old" });
    expect(await rejectionOf(torn.messages.create(body))).toBeInstanceOf(Anthropic.AuthenticationError);
  });

  test("counting tokens with the anthropic package fails with an error that says that no agent counts tokens", async () => {
    const counted = client().messages.countTokens({ model: "small", messages: user(QUESTION) });
    const thrown = await rejectionOf(counted);
    expect(thrown).toBeInstanceOf(Anthropic.NotFoundError);
    expect(thrown).toMatchObject({ type: "not_found_error" });
  });
});
