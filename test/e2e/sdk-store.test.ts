import { describe, expect, test } from "bun:test";
import { APICallError, generateText, isStepCount, streamText, tool } from "ai";
import { z } from "zod";
import { shareModelApi } from "../support/model-api.ts";
import { openaiProviderAt, rejectionOf } from "../support/sdks.ts";
import {
  eventStream,
  json,
  type RecordedRequest,
  shareRecordingUpstream,
} from "../support/upstream/recording-upstream.ts";

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
      const { messages } = JSON.parse(upstream().requests.at(-1)?.body ?? "{}");
      expect(messages).toMatchObject([
        { role: "user" },
        { role: "assistant", content: "Let me look.", tool_calls: [CALL] },
        { role: "tool", tool_call_id: "call_1", content: "sun in Rome" },
      ]);
    },
  );

  test("words before a translated tool call are by default sent as an id, which is a 400 that says what to do", async () => {
    upstream().answer(answer);
    const thrown = await rejectionOf(generateText(optionsOf(undefined)));
    expect(thrown).toBeInstanceOf(APICallError);
    expect(thrown).toMatchObject({ statusCode: 400, message: expect.stringContaining("store: false") });
    expect((thrown as APICallError).responseBody).toContain('"param":"input[1]"');
  });
});
