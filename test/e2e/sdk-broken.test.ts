import { describe, expect, test } from "bun:test";
import { APIError as AnthropicError } from "@anthropic-ai/sdk";
import { generateText, type LanguageModel, streamText } from "ai";
import { APIError as OpenAIError } from "openai";
import { type ModelApi, shareModelApi } from "../support/model-api.ts";
import {
  anthropicAt,
  collect,
  compatibleAt,
  openaiAt,
  openaiProviderAt,
  rejectionOf,
} from "../support/sdks.ts";
import { eventsOf } from "../support/upstream/events.ts";
import { eventStream, shareRecordingUpstream } from "../support/upstream/recording-upstream.ts";
import { shareFaultUpstream } from "../support/upstream/start.ts";

/** The models that break after three words, each in its own way. */
const FAULTS = ["dies", "error-event", "ends-early"];
const QUESTION = "one two three four five";
const BEGUN = "one two three";
const messages = [{ role: "user" as const, content: QUESTION }];

const faults = shareFaultUpstream();
const recording = shareRecordingUpstream(["mine"]);
const native = shareModelApi({ agents: () => [["--upstream", faults().url]] });
const translated = shareModelApi({
  agents: () => [["--upstream", faults().url, "--endpoint", "chat/completions"]],
});

describe.each([
  ["passed through", native],
  ["translated", translated],
])("a stream, %s, that breaks in the middle is never a short answer:", (_, api) => {
  test.each(FAULTS)("the openai package throws for a chat stream that breaks: %s", async (model) => {
    const stream = await openaiAt(api()).chat.completions.create({ model, messages, stream: true });
    let text = "";
    const thrown = await rejectionOf(
      (async () => {
        for await (const { choices } of stream) text += choices[0]?.delta?.content ?? "";
      })(),
    );
    expect(thrown).toBeInstanceOf(OpenAIError);
    expect(text).toBe(BEGUN);
    const whole = openaiAt(api()).chat.completions.stream({ model, messages }).finalChatCompletion();
    expect(await rejectionOf(whole)).toBeInstanceOf(OpenAIError);
  });

  test.each(FAULTS)("the openai package throws for a response stream that breaks: %s", async (model) => {
    const events: { type: string }[] = [];
    const thrown = await rejectionOf(
      (async () => {
        const stream = await openaiAt(api()).responses.create({ model, input: QUESTION, stream: true });
        for await (const event of stream) events.push(event);
      })(),
    );
    const types = events.map(({ type }) => type);
    expect(types).not.toContain("response.completed");
    // The error event is that of the API, or the upstream's own.
    expect(types.includes("response.failed") || thrown instanceof OpenAIError).toBe(true);
  });

  test.each(FAULTS)(
    "the AI SDK reports an error for a chat or response stream that breaks: %s",
    async (model) => {
      const provider = openaiProviderAt(api());
      for (const language of [compatibleAt(api())(model), provider.chat(model), provider(model)]) {
        const told = await tellOf(language);
        expect(told.error, `${language.provider}`).toBeDefined();
        expect(told.finish, `${language.provider}`).toBe("error");
      }
    },
  );

  test.each(FAULTS)("an answer that breaks is an error without streaming too: %s", async (model) => {
    for (const path of ["chat/completions", "responses"]) {
      const body = { model, messages, input: QUESTION };
      const thrown = await rejectionOf(openaiAt(api()).post(`/${path}`, { body }));
      expect(thrown).toBeInstanceOf(Error);
      // Half a body with its own status is passed on unchanged, and is not JSON.
      if (model !== "ends-early") expect((thrown as OpenAIError).status).toBeOneOf([500, 502]);
    }
    const asked = generateText({ model: compatibleAt(api())(model), prompt: QUESTION, maxRetries: 0 });
    expect(await rejectionOf(asked)).toHaveProperty("statusCode");
  });
});

/** Reads a stream of the AI SDK, and resolves with its end. */
async function tellOf(model: LanguageModel): Promise<{ error: unknown; finish: string | undefined }> {
  let error: unknown;
  const { fullStream } = streamText({
    model,
    prompt: QUESTION,
    maxRetries: 0,
    onError: (told) => {
      error = told.error;
    },
  });
  const parts = await collect(fullStream);
  const finish = parts.findLast((part) => part.type === "finish-step" || part.type === "finish");
  return { error, finish: finish && "finishReason" in finish ? finish.finishReason : undefined };
}

describe("translated messages", () => {
  const begin = (api: ModelApi, model: string) =>
    anthropicAt(api).messages.stream({ model, max_tokens: 99, messages });

  test.each(FAULTS)("the anthropic package throws for a translated stream that breaks: %s", async (model) => {
    const stream = begin(translated(), model);
    let text = "";
    stream.on("text", (piece) => {
      text += piece;
    });
    expect(await rejectionOf(stream.finalMessage())).toBeInstanceOf(AnthropicError);
    expect(text).toBe(BEGUN);
  });
});

describe("native messages", () => {
  const api = shareModelApi({ agents: () => [["--upstream", recording().url]] });
  const START =
    'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}';
  const OVERLOADED =
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}';

  test("an upstream's error event in a stream of messages is passed on as it is", async () => {
    recording().answer(() => eventStream([START, OVERLOADED]));
    const body = { model: "mine", max_tokens: 9, messages };
    const thrown = await rejectionOf(anthropicAt(api()).messages.stream(body).finalMessage());
    expect(thrown).toBeInstanceOf(AnthropicError);
    expect(thrown).toMatchObject({ type: "overloaded_error" });
    const raw = await fetch(`${api().baseURL}/messages`, {
      method: "POST",
      headers: { "x-api-key": api().apiKey },
      body: JSON.stringify({ ...body, stream: true }),
    });
    expect(await raw.text()).toBe(`${START}\n\n${OVERLOADED}\n\n`);
  });

  test("a stream of messages that ends without message_stop is an error", async () => {
    recording().answer(() => eventStream([START]));
    const body = { model: "mine", max_tokens: 9, messages };
    const thrown = await rejectionOf(anthropicAt(api()).messages.stream(body).finalMessage());
    expect(thrown).toBeInstanceOf(AnthropicError);
  });
});

test("nothing follows an error in a stream, not even [DONE]", async () => {
  for (const model of FAULTS) {
    const response = await fetch(`${native().baseURL}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${native().apiKey}` },
      body: JSON.stringify({ model, messages, stream: true }),
    });
    expect(response.status).toBe(200);
    const events = eventsOf(await response.text()).map(({ data }) => JSON.parse(data));
    expect(events.filter((event) => event.error)).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ error: { message: expect.any(String), type: expect.any(String) } });
  }
});
