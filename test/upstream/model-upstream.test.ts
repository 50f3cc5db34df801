import { expect, test } from "bun:test";
import { chatTextOf, eventsOf } from "../support/upstream/events.ts";
import { modelJson, modelText } from "../support/upstream/model-answers.ts";
import { shareModelUpstream } from "../support/upstream/model-upstream.ts";

const shared = shareModelUpstream();
const QUESTION = " two  words\n日本語 👩‍🔬 ";
const USAGE = { prompt_tokens: 4, completion_tokens: 6, total_tokens: 10 };
const tools = ["weather", "news"].map((name) => ({ type: "function", function: { name, parameters: {} } }));

const post = (path: string, body: object) =>
  fetch(`${shared().url}/${path}`, { method: "POST", body: JSON.stringify({ model: "small", ...body }) });
/** Parses a body without a type, as the test inspects it. */
const json = async (response: Response) => JSON.parse(await response.text());
const user = (content: unknown) => ({ role: "user", content });
const chat = (content: unknown, rest: object = {}) =>
  post("chat/completions", { messages: [user(content)], ...rest });
const chatMessage = async (content: unknown, rest: object = {}) =>
  (await json(await chat(content, rest))).choices[0].message;

test("the model upstream lists its models, and an unknown one is a 404 at every endpoint", async () => {
  const list = await json(await fetch(`${shared().url}/models`));
  const ids = list.data.map((model: { id: string }) => model.id);
  expect(ids.toSorted()).toEqual(["small", "small-embedding", "small-slow"]);
  for (const path of ["chat/completions", "responses", "messages"]) {
    const refused = await post(path, { model: "unknown", input: "hello", messages: [user("hello")] });
    expect(refused.status, path).toBe(404);
    expect(await refused.text(), path).toContain("The model unknown does not exist");
  }
});

test("the answer of a model follows from the question, streamed or not, and is the same each time", async () => {
  const whole = await json(await chat([{ type: "text", text: QUESTION }]));
  expect(whole.choices[0].message.content).toBe(modelText(QUESTION));
  expect(whole.usage).toEqual(USAGE);

  const stream = async () =>
    (await chat(QUESTION, { stream: true, stream_options: { include_usage: true } })).text();
  const text = await stream();
  const events = eventsOf(text);
  expect(chatTextOf(events)).toBe(modelText(QUESTION));
  expect(events.at(-1)?.data).toBe("[DONE]");
  expect(JSON.parse(events.at(-2)?.data ?? "").usage).toEqual(USAGE);
  expect(await stream()).toBe(text);
});

test("a model calls two tools at once, streamed or not, and answers with their results", async () => {
  const question = "The weather in Paris and Rome?";
  const calls = [
    { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Paris"}' } },
    { id: "call_2", type: "function", function: { name: "news", arguments: '{"city":"Rome"}' } },
  ];
  const message = await chatMessage(question, { tools });
  expect(message.tool_calls).toEqual(calls);
  const events = eventsOf(await (await chat(question, { tools, stream: true })).text());
  const indices = events.flatMap(({ data }) => data.match(/"index":1,"id":"call_2"/) ?? []);
  expect(indices).toHaveLength(1);

  const results = calls.map(({ id }, index) => ({
    role: "tool",
    tool_call_id: id,
    content: `result ${index}`,
  }));
  const after = await post("chat/completions", { messages: [user(question), message, ...results], tools });
  expect((await json(after)).choices[0].message.content).toBe("The tools said: result 0, result 1");
});

test("a model answers with JSON on request", async () => {
  const response_format = { type: "json_schema", json_schema: { name: "answer", schema: {} } };
  expect((await chatMessage(QUESTION, { response_format })).content).toBe(modelJson(QUESTION));
  expect((await chatMessage("As JSON, please")).content).toBe(modelJson("As JSON, please"));
});

test("a model fails with the requested status", async () => {
  const limited = await chat("fail with 429", { stream: true });
  expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "2"]);
  expect((await json(limited)).error).toEqual({
    message: "It failed with 429",
    type: "rate_limit_error",
    param: null,
    code: "code_429",
  });
  expect((await chat("fail with 500")).status).toBe(500);
});

test("the model upstream answers responses, messages and embeddings too", async () => {
  const responses = eventsOf(await (await post("responses", { stream: true, input: QUESTION })).text());
  expect(responses.at(-1)?.event).toBe("response.completed");
  expect(JSON.parse(responses.at(-1)?.data ?? "").response).toMatchObject({
    output: [{ content: [{ text: modelText(QUESTION) }] }],
    usage: { input_tokens: 4, output_tokens: 6 },
  });

  const body = { stream: true, max_tokens: 99, messages: [user(QUESTION)] };
  const messages = eventsOf(await (await post("messages", body)).text()).map(({ data }) => JSON.parse(data));
  expect(messages.at(-1).type).toBe("message_stop");
  expect(messages.map((event) => event.delta?.text ?? "").join("")).toBe(modelText(QUESTION));

  const embed = async (rest: object) =>
    (await json(await post("embeddings", { model: "small-embedding", input: ["a", "b"], ...rest }))).data;
  const plain = await embed({ dimensions: 4 });
  expect(plain[0].embedding).toHaveLength(4);
  expect(plain[0].embedding).not.toEqual(plain[1].embedding);
});

test("the slow model pauses between its deltas", async () => {
  const start = performance.now();
  const events = eventsOf(await (await chat("a question", { model: "small-slow", stream: true })).text());
  expect(chatTextOf(events)).toBe(modelText("a question"));
  expect(performance.now() - start).toBeGreaterThan(250);
});
