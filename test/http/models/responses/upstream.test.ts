import { expect, test } from "bun:test";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import OpenAI from "openai";
import type { ResponseStreamParams } from "openai/lib/responses/ResponseStream";
import { type ChatAnswer, chunk, finish, serveResponses } from "../../../support/translated-responses.ts";
import { eventsOf } from "../../../support/upstream/events.ts";
import { modelJson, modelText } from "../../../support/upstream/model-answers.ts";
import { shareModelUpstream } from "../../../support/upstream/model-upstream.ts";

const shared = shareModelUpstream();

/** The model upstream, called through its chat completions only. */
const chatOnly: ChatAnswer = async (request) => {
  const response = await fetch(`${shared().url}/chat/completions`, {
    method: "POST",
    body: JSON.stringify(request),
  });
  const text = await response.text();
  return request["stream"] ? eventsOf(text).map(({ data }) => data) : [text];
};
const clients = () => {
  const ours = serveResponses(chatOnly);
  const client = (baseURL: string) => new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });
  return { ours: client(ours.url), native: client(shared().url), url: ours.url, requests: ours.requests };
};
const QUESTION = " two  words\n日本語 👩‍🔬 ";
const CITIES = "The weather in Paris and Rome?";
const functions = ["weather", "news"].map((name) => ({
  type: "function" as const,
  name,
  parameters: { type: "object", properties: { city: { type: "string" } } },
  strict: null,
}));

// biome-ignore lint/suspicious/noExplicitAny: two answers of one shape are compared key by key.
type Json = any;

/** Returns what two servers must agree on: everything in the native answer but generated ids. */
function expectToHold(ours: Json, native: Json): void {
  if (Array.isArray(native)) {
    expect(ours).toHaveLength(native.length);
    for (const [index, item] of native.entries()) expectToHold(ours[index], item);
  } else if (native !== null && typeof native === "object") {
    for (const [key, value] of Object.entries(native)) {
      if (!["id", "item_id", "created_at"].includes(key)) expectToHold(ours[key], value);
    }
  } else expect(ours).toEqual(native);
}

async function streamed(client: OpenAI, request: ResponseStreamParams) {
  const stream = client.responses.stream(request);
  const kinds: string[] = [];
  for await (const { type } of stream) kinds.push(type);
  return { kinds, response: await stream.finalResponse() };
}

test("an answer holds all that the upstream's own Responses API answers, whole or streamed", async () => {
  const { ours, native } = clients();
  for (const body of [
    { input: QUESTION },
    { input: CITIES, tools: functions },
    { input: [{ role: "user" as const, content: "As JSON, please" }], instructions: "Be brief." },
  ]) {
    const request = { model: "small", ...body };
    expectToHold(await ours.responses.create(request), await native.responses.create(request));
    const [one, other] = [await streamed(ours, request), await streamed(native, request)];
    // The server closes parallel calls together, the upstream one by one.
    expect(one.kinds.toSorted()).toEqual(other.kinds.toSorted());
    expectToHold(one.response, other.response);
  }
});

test("the official package parses a structured answer and continues after tool calls", async () => {
  const { ours } = clients();
  const format = { type: "json_schema" as const, name: "a", schema: { type: "object" } };
  const parsed = await ours.responses.parse({ model: "small", input: "a b", text: { format } });
  expect(parsed.output_text).toBe(modelJson("a b"));

  const first = await ours.responses.create({ model: "small", input: CITIES, tools: functions });
  const calls = first.output.filter((item) => item.type === "function_call");
  expect(calls.map(({ name, arguments: args }) => [name, JSON.parse(args)])).toEqual([
    ["weather", { city: "Paris" }],
    ["news", { city: "Rome" }],
  ]);
  const results = calls.map(({ call_id, name }) => ({
    type: "function_call_output" as const,
    call_id,
    output: name,
  }));
  const second = await ours.responses.create({
    model: "small",
    tools: functions,
    input: [{ role: "user", content: CITIES }, ...first.output, ...results] as never,
  });
  expect(second.output_text).toBe("The tools said: weather, news");
});

test("a refusal reaches the official package with the field and the hint", async () => {
  const { ours } = clients();
  const body = { model: "small", input: "a", previous_response_id: "resp_1" };
  const error = await ours.responses.create(body).catch((refused: unknown) => refused);
  expect(error).toBeInstanceOf(OpenAI.BadRequestError);
  expect(error).toMatchObject({ param: "previous_response_id", code: "request_untranslatable" });
});

test("the AI SDK streams text, and runs tools in steps without a stored response", async () => {
  const { url, requests } = clients();
  const model = createOpenAI({ baseURL: url, apiKey: "none" }).responses("small");
  const streamed = streamText({ model, prompt: QUESTION });
  expect(await streamed.text).toBe(modelText(QUESTION));
  expect(await streamed.finishReason).toBe("stop");
  expect(await streamed.usage).toMatchObject({ inputTokens: 4, outputTokens: 6 });

  const inputSchema = jsonSchema<{ city: string }>({
    type: "object",
    properties: { city: { type: "string" } },
  });
  const run = (name: string) => tool({ inputSchema, execute: async ({ city }) => `${name} ${city}` });
  const answered = await generateText({
    model,
    prompt: CITIES,
    tools: { weather: run("weather"), news: run("news") },
    stopWhen: stepCountIs(3),
  });
  expect(answered.text).toBe("The tools said: weather Paris, news Rome");
  expect(requests).toHaveLength(3);
});

test("the AI SDK shows the reasoning of a model, and why it was stopped", async () => {
  const { url } = serveResponses(() => [
    chunk({ reasoning_content: "Let me " }),
    chunk({ reasoning_content: "think." }),
    chunk({ content: "4" }),
    finish("length"),
  ]);
  const streamed = streamText({
    model: createOpenAI({ baseURL: url, apiKey: "none" })("m"),
    prompt: "2 and 2?",
  });
  expect(await streamed.reasoningText).toBe("Let me think.");
  expect(await streamed.text).toBe("4");
  expect(await streamed.finishReason).toBe("length");
});
