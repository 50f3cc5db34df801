import { describe, expect, test } from "bun:test";
import { ResponsesToolRunner } from "openai/helpers/responses-tool-runner";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { shareModelApi } from "../support/model-api.ts";
import { collect, openaiAt } from "../support/sdks.ts";
import { countWords, modelText } from "../support/upstream/model-answers.ts";
import { shareModelUpstream } from "../support/upstream/model-upstream.ts";

const model = "small";
const QUESTION = "two  words\n日本語 👩‍🔬";
const ANSWER = modelText(QUESTION);
const TOOLS_QUESTION = "How is it in Paris and Rome?";
const Counted = z.object({ question: z.string(), words: z.number() });
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const messages = (content: string) => [{ role: "user" as const, content }];

const upstream = shareModelUpstream();

/** The tests run with an upstream that has every endpoint, and with one whose answers must be translated. */
describe.each([
  ["by its own endpoints", false, []],
  ["by chat completions only", true, ["--endpoint", "chat/completions", "--endpoint", "embeddings"]],
])("the openai package, with an upstream asked %s", (_, isTranslated, endpoints) => {
  const api = shareModelApi({ agents: () => [["--upstream", upstream().url, ...endpoints]] });
  const client = () => openaiAt(api());

  test("the openai package completes a chat, with the upstream's token counts and a request id", async () => {
    const { data, request_id } = await client()
      .chat.completions.create({ model, messages: messages(QUESTION) })
      .withResponse();
    expect(data.choices[0]?.message).toMatchObject({ role: "assistant", content: ANSWER });
    expect(data.usage).toMatchObject({
      prompt_tokens: countWords(QUESTION),
      completion_tokens: countWords(ANSWER),
    });
    expect(request_id).toMatch(/^req_/);
  });

  test("the openai package streams a chat with its role, deltas and end, and with token counts only on request", async () => {
    for (const asked of [true, false]) {
      const stream = await client().chat.completions.create({
        model,
        messages: messages(QUESTION),
        stream: true,
        ...(asked && { stream_options: { include_usage: true } }),
      });
      const chunks = await collect(stream);
      expect(chunks[0]?.choices[0]?.delta.role).toBe("assistant");
      expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe(ANSWER);
      expect(chunks.filter(({ choices }) => choices[0]?.finish_reason === "stop")).toHaveLength(1);
      expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
      expect(chunks.filter(({ usage }) => usage)).toHaveLength(asked ? 1 : 0);
    }
  });

  test("the stream helper of the openai package assembles the whole chat", async () => {
    const stream = client().chat.completions.stream({
      model,
      messages: messages(QUESTION),
      stream_options: { include_usage: true },
    });
    const pieces: string[] = [];
    stream.on("content.delta", ({ delta }) => pieces.push(delta));
    expect((await stream.finalChatCompletion()).choices[0]?.message.content).toBe(ANSWER);
    expect(pieces.join("")).toBe(ANSWER);
    expect((await stream.totalUsage()).completion_tokens).toBe(countWords(ANSWER));
  });

  test.each([false, true])(
    "the tool runner of the openai package reaches the answer with parallel tools (streamed: %p)",
    async (stream) => {
      const called: string[] = [];
      const tool = (name: string) => ({
        type: "function" as const,
        function: {
          name,
          description: name,
          parameters,
          parse: JSON.parse,
          function: ({ city }: { city: string }) => {
            called.push(`${name} ${city}`);
            return `${name} of ${city}`;
          },
        },
      });
      const body = { model, messages: messages(TOOLS_QUESTION), tools: [tool("weather"), tool("news")] };
      const { completions } = client().chat;
      const runner = stream
        ? completions.runTools({ ...body, stream: true })
        : completions.runTools({ ...body, stream: false });
      expect(await runner.finalContent()).toBe("The tools said: weather of Paris, news of Rome");
      expect(called).toEqual(["weather Paris", "news Rome"]);
    },
  );

  test("the openai package parses structured output of a chat and of a response", async () => {
    const chat = await client().chat.completions.parse({
      model,
      messages: messages(QUESTION),
      response_format: zodResponseFormat(Counted, "counted"),
    });
    expect(chat.choices[0]?.message.parsed).toEqual({ question: QUESTION, words: countWords(QUESTION) });

    // With its native responses the upstream uses the question only.
    const question = "As JSON, please";
    const response = await client().responses.parse({
      model,
      input: question,
      text: { format: zodTextFormat(Counted, "counted") },
    });
    expect(response.output_parsed).toEqual({ question, words: 3 });
  });

  test("the openai package receives a response whole, by events, and assembled by its helper", async () => {
    const usage = { input_tokens: countWords(QUESTION), output_tokens: countWords(ANSWER) };
    const whole = await client().responses.create({ model, input: QUESTION });
    expect(whole.output_text).toBe(ANSWER);
    expect(whole.usage).toMatchObject(usage);

    const events = await collect(await client().responses.create({ model, input: QUESTION, stream: true }));
    expect(events[0]?.type).toBe("response.created");
    expect(events.at(-1)?.type).toBe("response.completed");
    expect(
      events.flatMap((event) => (event.type === "response.output_text.delta" ? event.delta : [])).join(""),
    ).toBe(ANSWER);
    // The upstream itself does not number its events.
    if (isTranslated) expect(events.map((event) => event.sequence_number)).toEqual([...events.keys()]);

    const made = await client().responses.stream({ model, input: QUESTION }).finalResponse();
    expect(made.output_text).toBe(ANSWER);
    expect(made.usage).toMatchObject(usage);
  });

  test.each([false, true])(
    "the openai package runs the parallel tools of a response (streamed: %p)",
    async (stream) => {
      const tool = (name: string) => ({
        tool: { type: "function" as const, name, parameters, strict: false, description: name },
        execute: ({ city }: Record<string, unknown>) => `${name} of ${city}`,
      });
      const runner = new ResponsesToolRunner({ functions: [tool("weather"), tool("news")] });
      const response = await runner.run(client(), { model, input: TOOLS_QUESTION }, { stream });
      expect(response.output_text).toBe("The tools said: weather of Paris, news of Rome");
    },
  );

  test("the openai package embeds texts, each with its own vector, the same as numbers and as base64", async () => {
    const embed = async (encoding_format?: "float") =>
      (
        await client().embeddings.create({
          model: "small-embedding",
          input: ["one", "two"],
          dimensions: 8,
          ...(encoding_format && { encoding_format }),
        })
      ).data.map(({ embedding }) => embedding);
    const [first, second] = await embed("float");
    expect(first).toHaveLength(8);
    expect(first).not.toEqual(second);
    expect((await embed()).map((vector) => vector.map(Math.fround))).toEqual(
      [first, second].map((vector) => vector?.map(Math.fround) ?? []),
    );
  });

  test("the openai package lists the models and retrieves each", async () => {
    const listed = await collect(await client().models.list());
    expect(listed.map(({ id }) => id).toSorted()).toEqual(["small", "small-embedding", "small-slow"]);
    for (const found of listed) expect(await client().models.retrieve(found.id)).toMatchObject({ ...found });
  });
});
