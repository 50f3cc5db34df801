import { describe, expect, test } from "bun:test";
import type { ChatRequest, GenerateRequest } from "ollama";
import { shareModelApi } from "../support/model-api.ts";
import { chat, MODEL, ollamaAt, PNG, TEXT, TOOLS, user } from "../support/ollama-requests.ts";
import { collect, rejectionOf } from "../support/sdks.ts";
import { until } from "../support/until.ts";
import { THOUGHT } from "../support/upstream/ollama-answers.ts";
import { shareOllamaUpstream } from "../support/upstream/ollama-upstream.ts";

const upstream = shareOllamaUpstream();
const native = shareModelApi({ agents: () => [["--upstream", upstream().url]] });
const translated = shareModelApi({
  agents: () => [["--upstream", upstream().url, "--endpoint", "chat/completions,completions,embeddings"]],
});
const call = (name: string, city: string) => ({ function: { name, arguments: { city } } });
const CALLED = {
  role: "assistant",
  content: "",
  tool_calls: [call("weather", "Paris"), call("news", "Rome")],
};
const result = (tool_name: string | undefined, content: string) => ({
  role: "tool",
  content,
  ...(tool_name && { tool_name }),
});

const CHATS: [string, ChatRequest, object][] = [
  ["a chat", chat(TEXT), { content: `You said: ${TEXT}` }],
  [
    "a system prompt",
    chat("", { messages: [{ role: "system", content: "Be brief." }, user("Hi")] }),
    { content: "You said: Hi" },
  ],
  ["a thought", chat("Hi", { model: "thinker" }), { content: "You said: Hi", thinking: THOUGHT }],
  [
    "a thought that is wanted",
    chat("Hi", { model: "thinker", think: "low" }),
    { content: "You said: Hi", thinking: THOUGHT },
  ],
  [
    "a thought that is not wanted",
    chat("Hi", { model: "thinker", think: false }),
    { content: "You said: Hi" },
  ],
  ["calls of tools", chat("Paris and Rome?", { tools: TOOLS }), CALLED],
  [
    "results of tools by their names",
    chat("", {
      messages: [user("?"), CALLED, result("news", "quiet"), result("weather", "sunny")],
      tools: TOOLS,
    }),
    { content: "news: quiet, weather: sunny" },
  ],
  ["JSON", chat("Hi", { format: "json" }), { content: '{"question":"Hi"}' }],
  ["a JSON schema", chat("Hi", { format: { type: "object" } }), { content: '{"question":"Hi"}' }],
  [
    "an image",
    chat("", { messages: [user("What is it?", { images: [PNG] })] }),
    { content: `Images: ${PNG.length}` },
  ],
  [
    "parameters",
    chat("Hi", {
      options: { temperature: 0, top_k: 3, num_predict: 50, num_ctx: 4096, stop: ["\n\n"] },
      keep_alive: "5m",
    }),
    { content: "You said: Hi" },
  ],
];

/** Joins the pieces of a stream, and its last line without times. */
function joined(
  lines: readonly {
    message: ChatRequest["messages"] extends (infer M)[] | undefined ? M : never;
    done: boolean;
  }[],
) {
  const messages = lines.map(({ message }) => message);
  return {
    content: messages.map(({ content }) => content).join(""),
    thinking: messages.map(({ thinking = "" }) => thinking).join(""),
    calls: messages.flatMap(({ tool_calls = [] }) => tool_calls.map((one) => one.function)),
  };
}

const functionsOf = (expected: { tool_calls?: { function: object }[] }) =>
  (expected.tool_calls ?? []).map((one) => one.function);

describe.each([
  ["an Ollama", native],
  ["an upstream that has only the OpenAI-compatible API", translated],
] as const)("the ollama package with %s", (_, api) => {
  test.each(CHATS)("%s comes whole and in lines", async (_name, request, expected) => {
    const client = ollamaAt(api());
    const whole = await client.chat({ ...request, stream: false });
    const { tool_calls: _calls, ...message } = expected as typeof CALLED;
    expect(whole.message).toMatchObject({ ...message, role: "assistant" });
    expect(whole.message.thinking).toBe((expected as { thinking?: string }).thinking);
    expect((whole.message.tool_calls ?? []).map((one) => one.function)).toMatchObject(functionsOf(expected));
    const { prompt_eval_count, eval_count } = whole;
    expect(eval_count).toBeGreaterThan(0);
    expect(whole).toMatchObject({ done: true, done_reason: "stop" });

    const lines = await collect(await client.chat({ ...request, stream: true }));
    const { content = "", thinking = "" } = expected as { content?: string; thinking?: string };
    expect(joined(lines)).toMatchObject({ content, thinking, calls: functionsOf(expected) });
    const last = lines.at(-1);
    expect(last).toMatchObject({ done: true, done_reason: "stop", prompt_eval_count, eval_count });
    expect(lines.slice(0, -1).every(({ done }) => !done)).toBe(true);
    expect(last?.total_duration).toBeGreaterThanOrEqual(0);
    if (content.length > 40) expect(lines.length).toBeGreaterThan(5);
  });

  test.each([
    ["a prompt", { prompt: TEXT, system: "Be brief." }, `You said: ${TEXT}`],
    ["an image", { prompt: "?", images: [PNG] }, `Images: ${PNG.length}`],
    ["a format", { prompt: "Hi", format: "json" }, '{"question":"Hi"}'],
    ["a raw prompt", { prompt: "def f():", raw: true }, "[def f():|]"],
    ["a suffix", { prompt: "def f():", suffix: "return x" }, "[def f():|return x]"],
  ])("generate answers %s whole and in lines", async (_name, fields, expected) => {
    const client = ollamaAt(api());
    const request: GenerateRequest = { model: MODEL, ...fields };
    const whole = await client.generate({ ...request, stream: false });
    expect(whole).toMatchObject({ response: expected, done: true, done_reason: "stop" });
    const lines = await collect(await client.generate({ ...request, stream: true }));
    expect(lines.map(({ response = "" }) => response).join("")).toBe(expected);
    expect(lines.at(-1)).toMatchObject({ done: true, done_reason: "stop" });
  });

  test("embed and embeddings return the vectors in the order of the texts", async () => {
    const client = ollamaAt(api());
    const many = await client.embed({ model: MODEL, input: ["one", "one two"] });
    expect(many).toMatchObject({
      embeddings: [
        [3, 1, 0.5],
        [7, 2, 0.5],
      ],
      prompt_eval_count: 3,
    });
    expect((await client.embed({ model: MODEL, input: "one" })).embeddings).toEqual([[3, 1, 0.5]]);
    expect((await client.embed({ model: MODEL, input: [] })).embeddings).toEqual([]);
    expect(await client.embeddings({ model: MODEL, prompt: "one" })).toEqual({ embedding: [3, 1, 0.5] });
  });

  test("the lists and the description of a model have what the upstream tells", async () => {
    const client = ollamaAt(api());
    const details = { family: "tiny", parameter_size: "1.1B", quantization_level: "Q4_K_M" };
    const { models } = await client.list();
    expect(models.map(({ name }) => name).toSorted()).toEqual(["thinker:latest", "tiny:latest"]);
    expect(models[0]).toMatchObject({
      size: 1_234_567,
      details,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect((await client.ps()).models).toMatchObject([
      { name: "tiny:latest", details, context_length: 4096 },
    ]);
    expect(await client.show({ model: "thinker" })).toMatchObject({
      capabilities: ["completion", "tools", "vision", "thinking"],
      model_info: { "general.architecture": "tiny", "tiny.context_length": 8192 },
      details,
    });
    expect((await client.version()).version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test("a request without messages or a prompt loads or unloads the model, without an ask", async () => {
    const client = ollamaAt(api());
    const before = upstream().requests.length;
    expect(await client.chat({ model: MODEL })).toMatchObject({ done: true, done_reason: "load" });
    expect(await client.chat({ model: MODEL, messages: [], keep_alive: 0 })).toMatchObject({
      done_reason: "unload",
    });
    expect(await client.generate({ model: MODEL, prompt: "" })).toMatchObject({
      response: "",
      done_reason: "load",
    });
    const lines = await collect(
      await client.generate({ model: MODEL, prompt: "", keep_alive: "0s", stream: true }),
    );
    expect(lines).toMatchObject([{ done: true, done_reason: "unload" }]);
    expect(
      upstream()
        .requests.slice(before)
        .filter(({ path }) => path !== "/api/show"),
    ).toEqual([]);
  });

  test("errors before an answer have their status and a text", async () => {
    const client = ollamaAt(api());
    for (const stream of [false, true]) {
      const ask = (request: ChatRequest) =>
        rejectionOf(client.chat({ ...request, stream } as ChatRequest & { stream: false }));
      expect(await ask(chat("refuse"))).toMatchObject({
        ...{ name: "ResponseError", status_code: 400 },
        message: expect.stringContaining("invalid options: nonsense"),
      });
      expect(await ask(chat("Hi", { model: "nope" }))).toMatchObject({
        ...{ name: "ResponseError", status_code: 404 },
        message: expect.stringMatching(/^model 'nope' not found/),
      });
    }
    const stranger = ollamaAt({ url: api().url, apiKey: crypto.randomUUID() });
    expect(await rejectionOf(stranger.list())).toMatchObject({
      status_code: 401,
      message: expect.stringContaining("Invalid API key"),
    });
  });

  test.each(["fail in the middle", "tear in the middle"])(
    "a stream throws if it goes wrong: %s",
    async (content) => {
      const lines: string[] = [];
      const read = async () => {
        const stream = await ollamaAt(api()).chat({ ...chat(content), stream: true });
        for await (const { message } of stream) lines.push(message.content);
      };
      const thrown = await rejectionOf(read());
      expect(lines.join("")).not.toBe("");
      expect(String(thrown)).toContain(
        content.startsWith("fail") ? "an error was encountered" : "ended its answer early",
      );
    },
  );

  test("aborting a stream ends the upstream's request", async () => {
    const client = ollamaAt(api());
    const stream = await client.chat({ ...chat("never end"), stream: true });
    const lines = stream[Symbol.asyncIterator]();
    expect((await lines.next()).value).toMatchObject({ done: false });
    const { gone } = upstream().requests.at(-1) ?? expect.unreachable("the upstream was not asked");
    expect(gone.aborted).toBe(false);
    client.abort();
    await until(() => gone.aborted);
  });

  test("models are pulled if they are there, and changed nowhere", async () => {
    const client = ollamaAt(api());
    expect(await client.pull({ model: MODEL })).toMatchObject({ status: "success" });
    expect(await collect(await client.pull({ model: MODEL, stream: true }))).toEqual([
      { status: "success" },
    ] as never);
    for (const refused of [
      () => client.pull({ model: "nope" }),
      () => client.push({ model: MODEL }),
      () => client.create({ model: "mine", from: MODEL }),
      () => client.copy({ source: MODEL, destination: "mine" }),
      () => client.delete({ model: MODEL }),
    ])
      expect(await rejectionOf(refused())).toMatchObject({
        status_code: 403,
        message: expect.stringContaining("Models cannot be changed through this server"),
      });
  });
});
