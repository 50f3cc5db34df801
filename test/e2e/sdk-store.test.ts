import { describe, expect, test } from "bun:test";
import { APICallError, generateText, isStepCount, streamText, tool } from "ai";
import { z } from "zod";
import { shareModelApi } from "../support/model-api.ts";
import { openaiAt, openaiProviderAt, rejectionOf } from "../support/sdks.ts";
import {
  eventStream,
  json,
  type RecordedRequest,
  shareRecordingUpstream,
} from "../support/upstream/recording-upstream.ts";
import { readStrictly } from "../support/upstream/strict-request.ts";

/**
 * The AI SDK's `openai()` by default asks the server to store responses, and then sends the words before a
 * tool call as an id only in the next step.
 */
const upstream = shareRecordingUpstream(["mine"]);
const api = shareModelApi({
  agents: () => [["--upstream", upstream().url, "--endpoint", "chat/completions"]],
});
const weather = tool({
  inputSchema: z.object({ city: z.string() }),
  execute: ({ city }) => `sun in ${city}`,
});
const CALL = { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Rome"}' } };

/** Answers with words and a call first, and with text after the tool's result. */
function answer({ body }: RecordedRequest): Response {
  const { stream, messages } = JSON.parse(body);
  const isLast = messages.at(-1).role === "tool";
  const said = isLast ? { content: "It is sunny." } : { content: "Let me look.", tool_calls: [CALL] };
  const finish_reason = isLast ? "stop" : "tool_calls";
  if (!stream) {
    const message = { role: "assistant", ...said };
    return json({
      id: "c",
      object: "chat.completion",
      created: 1,
      model: "mine",
      choices: [{ index: 0, message, finish_reason }],
    });
  }
  const calls = isLast ? {} : { tool_calls: [{ index: 0, ...CALL }] };
  const chunk = (delta: object, reason: string | null = null) =>
    `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "mine", choices: [{ index: 0, delta, finish_reason: reason }] })}`;
  return eventStream([
    chunk({ role: "assistant", content: said.content }),
    chunk(calls),
    chunk({}, finish_reason),
    "data: [DONE]",
  ]);
}

/** Expects that the upstream's last request has the words, the tool call and its result. Returns its messages. */
function expectToolTurn(): unknown[] {
  const { messages } = JSON.parse(upstream().requests.at(-1)?.body ?? "{}");
  expect(messages).toMatchObject([
    { role: "user" },
    { role: "assistant", content: "Let me look.", tool_calls: [CALL] },
    { role: "tool", tool_call_id: "call_1", content: "sun in Rome" },
  ]);
  return messages;
}

describe("words before a tool call, translated", () => {
  const optionsOf = (store: boolean | undefined) => ({
    model: openaiProviderAt(api())("mine"),
    prompt: "How is it in Rome?",
    tools: { weather },
    stopWhen: isStepCount(3),
    maxRetries: 0,
    ...(store !== undefined && { providerOptions: { openai: { store } } }),
  });

  test.each([false, true])(
    "words before a translated tool call are sent again with `store: false` (streamed: %p)",
    async (streamed) => {
      upstream().answer(answer);
      const options = optionsOf(false);
      const result = streamed ? streamText(options) : await generateText(options);
      expect(await result.text).toBe("It is sunny.");
      expectToolTurn();
    },
  );

  test.each([false, true])(
    "the AI SDK works with its defaults, in which it refers to earlier items by id (streamed: %p)",
    async (streamed) => {
      upstream().answer(answer);
      const options = optionsOf(undefined);
      const result = streamed ? streamText(options) : await generateText(options);
      expect(await result.text).toBe("It is sunny.");
      const messages = expectToolTurn();

      const said = await result.responseMessages;
      const turn = [{ role: "user" as const, content: options.prompt }, ...said];
      const { prompt: _, ...rest } = options;
      const second = { ...rest, messages: [...turn, { role: "user" as const, content: "And now?" }] };
      const next = streamed ? streamText(second) : await generateText(second);
      expect(await next.text).toBe("It is sunny.");
      const sent = upstream().requests.map(({ body }) => JSON.parse(body).messages);
      expect(sent[2]).toMatchObject([
        ...messages,
        { role: "assistant", content: "It is sunny." },
        { role: "user", content: "And now?" },
      ]);
      for (const { body } of upstream().requests)
        expect(readStrictly(JSON.parse(body))).not.toHaveProperty("message");
    },
  );

  test("an item that the server does not know is a 400 that says what to do", async () => {
    const content = [
      { type: "text" as const, text: "Hi.", providerOptions: { openai: { itemId: "msg_unknown" } } },
    ];
    const { prompt, ...rest } = optionsOf(undefined);
    const messages = [
      { role: "user" as const, content: prompt },
      { role: "assistant" as const, content },
      { role: "user" as const, content: "And?" },
    ];
    const thrown = await rejectionOf(generateText({ ...rest, messages }));
    expect(thrown).toBeInstanceOf(APICallError);
    expect(thrown).toMatchObject({ statusCode: 400, message: expect.stringContaining("store: false") });
    expect((thrown as APICallError).responseBody).toContain('"param":"input[1]"');
  });
});

test("the openai package continues a translated response by its id", async () => {
  upstream().answer(answer);
  const openai = openaiAt(api());
  const first = await openai.responses.create({ model: "mine", input: "How is it?" });
  const call = first.output.find((item) => item.type === "function_call");
  const output = { type: "function_call_output" as const, call_id: call?.call_id ?? "", output: "sun" };
  const next = await openai.responses.create({
    model: "mine",
    previous_response_id: first.id,
    input: [output],
  });
  expect(next.output_text).toBe("It is sunny.");
  expect(JSON.parse(upstream().requests.at(-1)?.body ?? "{}").messages).toMatchObject([
    { role: "user", content: "How is it?" },
    { role: "assistant", tool_calls: [CALL] },
    { role: "tool", content: "sun" },
  ]);
});
