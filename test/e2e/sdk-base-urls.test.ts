import { expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import Groq from "groq-sdk";
import OpenAI, { AzureOpenAI } from "openai";
import { shareModelApi } from "../support/model-api.ts";
import { ollamaAt } from "../support/ollama-requests.ts";
import { rejectionOf } from "../support/sdks.ts";
import { callThenText, shareStrictUpstream } from "../support/upstream/strict-upstream.ts";

/** Packages whose paths and headers differ from OpenAI's, through an upstream that refuses what it does not know. */
const upstream = shareStrictUpstream(["qwen", "org/qwen"]);
const api = shareModelApi({
  agents: () => [["--upstream", upstream().url]],
  flags: ["--model-alias", "gpt-4o=qwen"],
});

const messages = [{ role: "user" as const, content: "How is it in Rome?" }];
const parameters = { type: "object", properties: { city: { type: "string" } } };
const tools = [{ type: "function" as const, function: { name: "weather", parameters } }];
const once = { maxRetries: 0 };

test("groq-sdk works with its default path, with a tool and as a stream", async () => {
  upstream().script(callThenText("weather", { city: "Rome" }, "Sunny."));
  const groq = new Groq({ baseURL: api().url, apiKey: api().apiKey, ...once });
  const asked = { model: "qwen", messages, tools };
  const first = await groq.chat.completions.create(asked);
  const call = first.choices[0]?.message.tool_calls?.[0];
  expect(call?.function).toEqual({ name: "weather", arguments: '{"city":"Rome"}' });
  const result = { role: "tool" as const, tool_call_id: call?.id ?? "", content: "21" };
  const said = { role: "assistant" as const, content: null, tool_calls: call ? [call] : [] };
  const stream = await groq.chat.completions.create({
    ...asked,
    messages: [
      ...messages,
      {
        ...said,
        tool_calls: said.tool_calls.map(({ id, type, function: f }) => ({ id, type, function: f })),
      },
      result,
    ],
    stream: true,
  });
  let text = "";
  for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
  expect(text).toBe("Sunny.");
  expect((await groq.models.list()).data.map(({ id }) => id)).toContain("qwen");
  expect(upstream().refusals).toEqual([]);
});

test.each([
  ["an endpoint", () => ({ endpoint: api().url })],
  ["an endpoint and a deployment", () => ({ endpoint: api().url, deployment: "gpt-4o" })],
  ["Azure's base URL of version 1", () => ({ baseURL: `${api().url}/openai/v1` })],
])("AzureOpenAI works with %s", async (_, options) => {
  upstream().script(() => ({ text: "Sunny." }));
  const azure = new AzureOpenAI({
    ...options(),
    apiKey: api().apiKey,
    apiVersion: "2025-04-01-preview",
    ...once,
  } as never);
  for (const model of ["gpt-4o", "qwen"]) {
    const answer = await azure.chat.completions.create({ model, messages });
    expect(answer.choices[0]?.message.content).toBe("Sunny.");
  }
  const response = await azure.responses.create({ model: "gpt-4o", input: "How is it?" });
  expect(response.output_text).toBe("Sunny.");
  expect(upstream().requests.map(({ model }) => model)).toEqual(["qwen", "qwen", "qwen"]);
  expect(upstream().refusals).toEqual([]);
});

test("AzureOpenAI works with a model whose name has a slash", async () => {
  upstream().script(() => ({ text: "Sunny." }));
  const azure = new AzureOpenAI({ endpoint: api().url, apiKey: api().apiKey, apiVersion: "1", ...once });
  const answer = await azure.chat.completions.create({ model: "org/qwen", messages });
  expect(answer.choices[0]?.message.content).toBe("Sunny.");
  expect(upstream().requests[0]?.model).toBe("org/qwen");
});

test.each(["", "/", "/v1/", "/v1/v1", "//v1"])(
  "the openai package works with the base URL %p",
  async (path) => {
    upstream().script(() => ({ text: "Sunny." }));
    const openai = new OpenAI({ baseURL: `${api().url}${path}`, apiKey: api().apiKey, ...once });
    const answer = await openai.chat.completions.create({ model: "qwen", messages });
    expect(answer.choices[0]?.message.content).toBe("Sunny.");
  },
);

test.each(["", "/", "/v1", "/v1/", "/anthropic"])(
  "the anthropic package works with the base URL %p",
  async (path) => {
    upstream().script(() => ({ text: "Sunny." }));
    const anthropic = new Anthropic({ baseURL: `${api().url}${path}`, apiKey: api().apiKey, ...once });
    const answer = await anthropic.messages.create({ model: "qwen", max_tokens: 9, messages });
    expect(answer.content).toMatchObject([{ type: "text", text: "Sunny." }]);
  },
);

test.each(["", "/", "/v1", "/v1/", "/api", "/ollama/"])(
  "the ollama package works with the host and the path %p",
  async (path) => {
    upstream().script(() => ({ text: "Sunny." }));
    const ollama = ollamaAt({ url: `${api().url}${path}`, apiKey: api().apiKey });
    expect((await ollama.chat({ model: "qwen", messages })).message.content).toBe("Sunny.");
    expect((await ollama.list()).models.map(({ name }) => name)).toContain("qwen");
  },
);

test("an error for a path that nobody serves names the right base URL", async () => {
  const { url, apiKey } = api();
  const openai = new OpenAI({ baseURL: `${url}/elsewhere/v1`, apiKey, ...once });
  const thrown = await rejectionOf(openai.chat.completions.create({ model: "qwen", messages }));
  expect(thrown).toBeInstanceOf(OpenAI.NotFoundError);
  expect((thrown as Error).message).toContain(`The base URL for OpenAI clients is ${url}/v1`);
  const anthropic = new Anthropic({ baseURL: `${url}/elsewhere`, apiKey, ...once });
  const told = await rejectionOf(anthropic.messages.create({ model: "qwen", max_tokens: 9, messages }));
  expect(told).toBeInstanceOf(Anthropic.NotFoundError);
  expect((told as Error).message).toContain(`for Anthropic and Ollama clients ${url}.`);
});
