import { describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import { MODELS, modelJson } from "../../../support/upstream/model-answers.ts";
import { shareModelUpstream } from "../../../support/upstream/model-upstream.ts";
import { chatUpstreamAt, startMessages } from "./scene.ts";

/**
 * The model upstream has both APIs, so a translated answer is compared with what its Messages API answers to
 * the same question.
 */
const upstream = shareModelUpstream();
const [model] = MODELS;

const translated = () => startMessages(chatUpstreamAt(upstream().url));
const direct = () =>
  new Anthropic({ baseURL: upstream().url.replace(/\/v1$/, ""), apiKey: "key", maxRetries: 0 });

const TOOLS = ["weather", "clock"].map((name) => ({ name, input_schema: { type: "object" as const } }));
const CALLED = [
  { role: "user" as const, content: "Weather in Rome and Oslo" },
  {
    role: "assistant" as const,
    content: [{ type: "tool_use" as const, id: "call_1", name: "weather", input: { city: "Rome" } }],
  },
  {
    role: "user" as const,
    content: [{ type: "tool_result" as const, tool_use_id: "call_1", content: "sunny" }],
  },
];

const QUESTIONS: [string, Omit<Anthropic.MessageCreateParamsNonStreaming, "model" | "max_tokens">][] = [
  ["a text", { messages: [{ role: "user", content: "Why is the sky blue?" }] }],
  ["a system prompt", { system: "Be brief.", messages: [{ role: "user", content: "Grüße 🦊" }] }],
  ["parallel tools", { messages: CALLED.slice(0, 1), tools: TOOLS }],
  ["the result of a tool", { messages: CALLED, tools: TOOLS }],
];

/** Returns a message without the fields that each API names for itself. */
const essence = ({
  content,
  model: from,
  role,
  type,
  stop_reason,
  stop_sequence,
  usage,
}: Anthropic.Message) => ({
  content: content.map((block) => (block.type === "text" ? { type: block.type, text: block.text } : block)),
  ...{ from, role, type, stop_reason, stop_sequence },
  usage: [usage.input_tokens, usage.output_tokens],
});

describe.each(QUESTIONS)("%s", (name, question) => {
  const body = { model, max_tokens: 99, ...question };

  test(`the translated answer to ${name} is what the upstream's own Messages API answers`, async () => {
    const [ours, theirs] = await Promise.all(
      [translated(), direct()].map((client) => client.messages.create(body)),
    );
    expect(ours && essence(ours)).toEqual(theirs && essence(theirs));
  });

  test(`the translated events for ${name} are those of the upstream's own Messages API, up to the size of the deltas`, async () => {
    const read = async (client: Anthropic) => {
      const types: string[] = [];
      const stream = client.messages.stream(body);
      stream.on("streamEvent", (event) => {
        const block = event.type === "content_block_start" ? `:${event.content_block.type}` : "";
        const type = `${event.type}${block}`;
        if (type !== "content_block_delta" || types.at(-1) !== type) types.push(type);
      });
      const message = essence(await stream.finalMessage());
      return { types, ...message, usage: message.usage[1] };
    };
    expect(await read(translated())).toEqual(await read(direct()));
  });
});

test("an answer follows the schema that the caller sent", async () => {
  const format = { type: "json_schema" as const, schema: { type: "object" } };
  const message = await translated().messages.create({
    model,
    max_tokens: 99,
    messages: [{ role: "user", content: "How many words?" }],
    output_config: { format },
  });
  expect(message.content).toEqual([
    { type: "text", text: modelJson("How many words?") },
  ] as typeof message.content);
});
