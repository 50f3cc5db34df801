import { expect, test } from "bun:test";
import { shareModelApi } from "../support/model-api.ts";
import { chat, MODEL, ollamaAt, PNG, TEXT, TOOLS, user } from "../support/ollama-requests.ts";
import { useScene } from "../support/scene.ts";
import { collect, rejectionOf } from "../support/sdks.ts";
import { shareOllamaUpstream } from "../support/upstream/ollama-upstream.ts";

const upstream = shareOllamaUpstream();
const native = shareModelApi({ agents: () => [["--upstream", upstream().url]] });
const translated = shareModelApi({
  agents: () => [["--upstream", upstream().url, "--endpoint", "chat/completions,completions,embeddings"]],
});

test("an Ollama gets the request unchanged but for the name of the model", async () => {
  const request = {
    ...chat("Hi", {
      options: { num_ctx: 2048, mirostat: 2 },
      keep_alive: "10m",
      logprobs: true,
      top_logprobs: 2,
    }),
    ...{ stream: false as const, format: { type: "object", properties: {} }, unknown: { field: [1] } },
  };
  await ollamaAt(native()).chat(request);
  const last = upstream().requests.at(-1);
  expect(last).toMatchObject({ path: "/api/chat", body: { ...request, model: "tiny:latest" } });
});

test("the lines of an Ollama come through byte for byte", async () => {
  const body = JSON.stringify({ ...chat(TEXT), model: "tiny:latest" });
  const textAt = async (url: string, headers = {}) =>
    (await fetch(`${url}/api/chat`, { method: "POST", headers, body })).text();
  const { url, apiKey } = native();
  const through = await textAt(url, { authorization: `Bearer ${apiKey}` });
  expect(through.split("\n").length).toBeGreaterThan(5);
  expect(through).toBe(await textAt(upstream().url));
});

test.each([
  ["template", { prompt: "Hi", template: "{{ .Prompt }}" }],
  ["context", { prompt: "Hi", context: [1, 2] }],
  ["images", { prompt: "Hi", raw: true, images: [PNG] }],
  ["options.mirostat", { prompt: "Hi", options: { mirostat: 1 } }],
  ["think", { prompt: "Hi", think: "much" as "low" }],
])("a field that cannot be translated is a 400 that names it: %s", async (name, fields) => {
  const thrown = await rejectionOf(ollamaAt(translated()).generate({ model: MODEL, ...fields }));
  expect(thrown).toMatchObject({ status_code: 400, message: expect.stringContaining(`\`${name}\``) });
});

const scene = useScene();

test("the ollama package chats with a v1 agent whole and in lines, without invented counts", async () => {
  await scene.firefox({ answer: ({ content }) => ({ content: `You said: ${content}` }) });
  const client = ollamaAt({ url: scene.url, apiKey: scene.adminKey });
  const model = "chatgpt";
  const whole = await client.chat({ model, messages: [user("Hi")] });
  expect(whole).toMatchObject({
    message: { role: "assistant", content: "You said: Hi" },
    done: true,
    done_reason: "stop",
  });
  expect(whole).not.toHaveProperty("eval_count");
  const lines = await collect(await client.chat({ model, messages: [user("Hi")], stream: true }));
  expect(lines).toMatchObject([
    { message: { content: "You said: Hi" }, done: false },
    { done: true, done_reason: "stop" },
  ]);
  expect((await client.generate({ model, prompt: "Hi" })).response).toBe("You said: Hi");
  expect((await client.show({ model })).capabilities).toEqual(["completion"]);
  const refused = await rejectionOf(client.chat({ model, messages: [user("?")], tools: TOOLS }));
  expect(refused).toMatchObject({ status_code: 400, message: expect.stringContaining("tools") });
});
