import { describe, expect, test } from "bun:test";
import { BadRequestError as AnthropicBadRequest } from "@anthropic-ai/sdk";
import { generateText, streamText } from "ai";
import { BadRequestError, NotFoundError } from "openai";
import { type Scene, useScene } from "../support/scene.ts";
import {
  anthropicAt,
  collect,
  compatibleAt,
  openaiAt,
  openaiProviderAt,
  rejectionOf,
} from "../support/sdks.ts";

const model = "chatgpt";
const QUESTION = "two  words\n日本語 👩‍🔬";
const user = (content: string) => ({ role: "user" as const, content });
const chat = (...messages: object[]) => ({ model, messages }) as { model: string; messages: never[] };
const IMAGE = { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } };
const TOOL = { type: "function", function: { name: "weather", parameters: {} } };

const scene = useScene();
const address = (of: Scene = scene) => ({ baseURL: `${of.url}/v1`, apiKey: of.adminKey });
const openai = () => openaiAt(address());
const anthropic = () => anthropicAt(address());

describe.each(["firefox", "python"] as const)("over the %s agent", (kind) => {
  test("the openai package chats with a v1 agent whole, streamed and by its helper, without invented token counts", async () => {
    const agent = await scene[kind]({ answer: ({ content }) => ({ content: `You asked: ${content}` }) });
    const answer = `You asked: ${QUESTION}`;
    const { choices, usage } = await openai().chat.completions.create(chat(user(QUESTION)));
    expect(choices).toMatchObject([
      { message: { role: "assistant", content: answer }, finish_reason: "stop" },
    ]);
    expect(usage).toBeUndefined();

    const chunks = await collect(
      await openai().chat.completions.create({
        ...chat(user(QUESTION)),
        stream: true,
        stream_options: { include_usage: true },
      }),
    );
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: "assistant", content: answer });
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
    expect(chunks.some((chunk) => chunk.usage)).toBe(false);

    const made = await openai()
      .chat.completions.stream(chat(user(QUESTION)))
      .finalContent();
    expect(made).toBe(answer);
    expect(agent.requests.map(({ content }) => content)).toEqual([QUESTION, QUESTION, QUESTION]);
  });

  test("responses, messages and the AI SDK work with a v1 agent by translation, whole and streamed", async () => {
    await scene[kind]({ answer: ({ content }) => ({ content: `You asked: ${content}` }) });
    const answer = `You asked: ${QUESTION}`;
    expect((await openai().responses.create({ model, input: QUESTION })).output_text).toBe(answer);
    expect((await openai().responses.stream({ model, input: QUESTION }).finalResponse()).output_text).toBe(
      answer,
    );

    const body = { model, max_tokens: 99, messages: [user(QUESTION)] };
    expect((await anthropic().messages.create(body)).content).toMatchObject([{ type: "text", text: answer }]);
    expect(await anthropic().messages.stream(body).finalText()).toBe(answer);

    for (const language of [compatibleAt(address())(model), openaiProviderAt(address())(model)]) {
      expect((await generateText({ model: language, prompt: QUESTION })).text).toBe(answer);
      expect((await collect(streamText({ model: language, prompt: QUESTION }).textStream)).join("")).toBe(
        answer,
      );
    }
  });
});

test("the model of v1 agents has its default name or the one from the settings, and offers chat only", async () => {
  await scene.firefox();
  expect((await collect(await openai().models.list())).map(({ id }) => id)).toEqual([model]);
  const embedded = await rejectionOf(openai().embeddings.create({ model, input: "?" }));
  expect(embedded).toBeInstanceOf(NotFoundError);
  expect(embedded).toMatchObject({ code: "endpoint_not_supported" });
});

describe("fields that a v1 agent cannot receive", () => {
  test.each([
    ["tools", { ...chat(user("?")), tools: [TOOL] }],
    ["functions", { ...chat(user("?")), functions: [{ name: "f" }] }],
    ["messages[0].content[1]", chat({ role: "user", content: [{ type: "text", text: "?" }, IMAGE] })],
    ["messages[1]", chat(user("?"), { role: "tool", tool_call_id: "c", content: "r" }, user("?"))],
    ["n", { ...chat(user("?")), n: 2 }],
    ["logprobs", { ...chat(user("?")), logprobs: true }],
    ["response_format", { ...chat(user("?")), response_format: { type: "json_object" } }],
    ["messages", chat({ role: "assistant", content: "?" })],
  ])("the field %s is a 400 with a v1 agent", async (param, body) => {
    const agent = await scene.firefox();
    for (const stream of [false, true]) {
      const thrown = await rejectionOf(openai().post("/chat/completions", { body: { ...body, stream } }));
      expect(thrown).toBeInstanceOf(BadRequestError);
      expect(thrown).toMatchObject({ param, code: "unsupported_parameter", type: "invalid_request_error" });
      expect((thrown as Error).message).toMatch(/text only|The last message must be from the user/);
    }
    expect(agent.requests).toEqual([]);
  });

  test("tools and images of responses and messages are a 400 with a v1 agent, too", async () => {
    await scene.firefox();
    const image = { type: "input_image", image_url: IMAGE.image_url.url, detail: "low" };
    for (const body of [
      { input: "?", tools: [{ type: "function", name: "f", parameters: {}, strict: false }] },
      { input: [{ role: "user", content: [image] }] },
    ]) {
      const thrown = await rejectionOf(openai().post("/responses", { body: { model, ...body } }));
      expect(thrown).toBeInstanceOf(BadRequestError);
      expect(thrown).toMatchObject({ code: "unsupported_parameter", param: expect.any(String) });
    }
    const tools = [{ name: "f", input_schema: { type: "object" as const } }];
    const thrown = await rejectionOf(
      anthropic().messages.create({ model, max_tokens: 9, messages: [user("?")], tools }),
    );
    expect(thrown).toBeInstanceOf(AnthropicBadRequest);
  });
});

describe("a chat whose earlier messages are those of a known conversation", () => {
  test("a chat that continues a known conversation reaches its v1 agent with the new question only, from every API", async () => {
    let count = 0;
    const agent = await scene.firefox({
      answer: () => ({ content: `answer ${++count}`, conversation_id: "c-1", response_id: `r-${count}` }),
    });
    const first = chat(user("one"));
    await openai().chat.completions.create(first);
    const second = [...first.messages, { role: "assistant", content: "answer 1" }, user("two")];
    await openai()
      .chat.completions.stream(chat(...second))
      .finalContent();
    const third = [...second, { role: "assistant" as const, content: "answer 2" }, user("three")];
    await anthropic().messages.create({ model, max_tokens: 9, messages: third as never[] });
    const fourth = [...third, { role: "assistant" as const, content: "answer 3" }, user("four")];
    expect((await openai().responses.create({ model, input: fourth as never[] })).output_text).toBe(
      "answer 4",
    );

    const asked = agent.requests.map(({ content, conversation_id }) => [content, conversation_id]);
    expect(asked).toEqual([
      ["one", ""],
      ["two", "c-1"],
      ["three", "c-1"],
      ["four", "c-1"],
    ]);
    expect(agent.requests.slice(1).map(({ parent_id }) => parent_id)).toEqual(["r-1", "r-2", "r-3"]);
  });

  test("a chat that continues a known conversation goes to its own v1 agent, though another one is free", async () => {
    const answers = (conversation_id: string) => ({
      answer: () => ({ content: `of ${conversation_id}`, conversation_id, response_id: "r" }),
    });
    const agents = [await scene.firefox(answers("a")), await scene.python(answers("b"))];
    const turns = [user("one")] as object[];
    let said = (await openai().chat.completions.create(chat(...turns))).choices[0]?.message.content;
    const own = said;
    for (const question of ["two", "three"]) {
      turns.push({ role: "assistant", content: said }, user(question));
      said = (await openai().chat.completions.create(chat(...turns))).choices[0]?.message.content;
      expect(said).toBe(own ?? "");
    }
    expect(agents.map(({ requests }) => requests.length).toSorted()).toEqual([0, 3]);
  });

  test("a chat of another user, or with different words, begins a new conversation with one prompt", async () => {
    const agent = await scene.firefox({
      answer: () => ({ content: "answer", conversation_id: "c-1", response_id: "r-1" }),
    });
    await openai().chat.completions.create(chat(user("one")));
    const more = chat(user("one"), { role: "assistant", content: "answer" }, user("two"));
    const { token } = await scene.addUser();
    await openaiAt({ ...address(), apiKey: token }).chat.completions.create(more);
    const other = chat(user("one"), { role: "assistant", content: "another answer" }, user("two"));
    await openai().chat.completions.create(other);
    expect(agent.requests.slice(1)).toMatchObject([
      { conversation_id: "", content: "User: one\n\nAssistant: answer\n\nUser: two" },
      { conversation_id: "", content: "User: one\n\nAssistant: another answer\n\nUser: two" },
    ]);
  });
});
