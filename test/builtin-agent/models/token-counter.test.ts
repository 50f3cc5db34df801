import { expect, onTestFinished, test } from "bun:test";
import { createHttpUpstream } from "../../../src/builtin-agent/http-upstream.ts";
import { COUNT_ENDPOINT } from "../../../src/protocol/agent-v2.ts";

type Reply = (body: Record<string, unknown>) => unknown;

/** Starts an upstream that answers these paths with JSON or a response, and any other with a 404. */
function startUpstream(models: object[], replies: Record<string, Reply>, key?: string) {
  const requests: { path: string; body: Record<string, unknown>; key: string | null }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const path = new URL(request.url).pathname;
      if (path === "/v1/models") return Response.json({ data: models });
      const body = (request.method === "POST" ? await request.json() : {}) as Record<string, unknown>;
      requests.push({ path, body, key: request.headers.get("authorization") });
      const reply = replies[path]?.(body);
      if (reply instanceof Response) return reply;
      return reply === undefined ? Response.json({}, { status: 404 }) : Response.json(reply);
    },
  });
  onTestFinished(() => void server.stop(true));
  const upstream = createHttpUpstream({
    url: `http://127.0.0.1:${server.port}`,
    key,
    models: [],
    endpoints: [],
  });
  const { signal } = new AbortController();
  return {
    requests,
    /** Returns the endpoints that it is found to have, besides the one of its tokenizer. */
    async endpoints() {
      const status = await upstream.check(signal);
      return "offer" in status ? status.offer.endpoints.filter((endpoint) => endpoint !== "tokenize") : [];
    },
    async count(chat: object) {
      requests.length = 0;
      const response = await upstream.request(COUNT_ENDPOINT, JSON.stringify(chat), signal);
      return { status: response.status, body: (await response.json()) as Record<string, never> };
    },
  };
}

const words = (text: unknown) => String(text).split(/\s+/);

/** A llama.cpp whose template writes the role and the content of each message, and the names of the tools. */
const LLAMA_CPP: Record<string, Reply> = {
  "/v1/chat/completions": () => Response.json({ error: { message: "bad" } }, { status: 400 }),
  "/apply-template": ({ messages, tools = [] }) => ({
    prompt: [
      ...(tools as { function: { name: string } }[]).map((tool) => tool.function.name),
      ...(messages as { role: string; content: string }[]).map(({ role, content }) => `${role} ${content}`),
      "assistant",
    ].join(" "),
  }),
  "/tokenize": ({ content }) => ({ tokens: words(content).map((_, at) => at) }),
};

/** A vLLM that counts the words of the messages, and those of the tools if it knows of them. */
const vllm = (countsTools: boolean): Record<string, Reply> => ({
  ...LLAMA_CPP,
  "/tokenize": ({ messages, tools }) => {
    if (!messages) return Response.json({ error: { message: "bad" } }, { status: 400 });
    const texts = (messages as { content: string }[]).map(({ content }) => content);
    const all = countsTools && tools ? [...texts, JSON.stringify(tools)] : texts;
    return { count: words(all.join(" ")).length, max_model_len: 4096, tokens: [] };
  },
});

const LLAMA_MODEL = [{ id: "q", owned_by: "llamacpp" }];
const VLLM_MODEL = [{ id: "q", owned_by: "vllm" }];
const CHAT = { model: "q", messages: [{ role: "user", content: "one two three" }] };
const TOOLS = [{ type: "function", function: { name: "look" } }];

test("llama.cpp counts the tokens of the prompt that its template makes, tools included", async () => {
  const { endpoints, count, requests } = startUpstream(LLAMA_MODEL, LLAMA_CPP, "secret");
  expect(await endpoints()).toEqual(["chat/completions", COUNT_ENDPOINT]);
  expect(await count(CHAT)).toEqual({ status: 200, body: { input_tokens: 5 } } as never);
  expect(requests.map(({ path, key }) => [path, key])).toEqual([
    ["/apply-template", "Bearer secret"],
    ["/tokenize", "Bearer secret"],
  ]);
  expect(requests[1]?.body).toEqual({
    ...{ model: "q", content: "user one two three assistant" },
    ...{ add_special: true, parse_special: true },
  });
  expect((await count({ ...CHAT, tools: TOOLS })).body).toEqual({ input_tokens: 6 } as never);
});

test("a llama.cpp that has the endpoint itself is sent the request unchanged", async () => {
  const { endpoints, count, requests } = startUpstream(LLAMA_MODEL, {
    ...LLAMA_CPP,
    [`/v1/${COUNT_ENDPOINT}`]: ({ messages }) =>
      messages ? { input_tokens: 7 } : Response.json({ error: { message: "bad" } }, { status: 400 }),
  });
  expect(await endpoints()).toEqual(["chat/completions", COUNT_ENDPOINT]);
  expect((await count(CHAT)).body).toEqual({ input_tokens: 7 } as never);
  expect(requests).toEqual([{ path: `/v1/${COUNT_ENDPOINT}`, body: CHAT, key: null }]);
});

test("vLLM counts the tokens of a chat, and of its tools unless it ignores them", async () => {
  for (const countsTools of [true, false]) {
    const { endpoints, count } = startUpstream(VLLM_MODEL, vllm(countsTools));
    expect(await endpoints()).toContain(COUNT_ENDPOINT);
    expect(await count(CHAT)).toEqual({ status: 200, body: { input_tokens: 3 } } as never);
    const withTools = await count({ ...CHAT, tools: TOOLS });
    expect(withTools.status).toBe(countsTools ? 200 : 404);
    expect(withTools.body).toEqual(
      (countsTools
        ? { input_tokens: 4 }
        : { error: expect.objectContaining({ code: "endpoint_not_supported" }) }) as never,
    );
  }
});

test("a chat with more than text, or one that the template refuses, is a 404 and never an estimate", async () => {
  const { endpoints, count, requests } = startUpstream(LLAMA_MODEL, {
    ...LLAMA_CPP,
    "/apply-template": ({ messages }) =>
      JSON.stringify(messages).includes("bad")
        ? Response.json({ error: { message: "roles must alternate" } }, { status: 400 })
        : { prompt: "x" },
  });
  await endpoints();
  const image = [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }];
  const withImage = await count({ model: "q", messages: [{ role: "user", content: image }] });
  expect([withImage.status, requests.length]).toEqual([404, 0]);
  const refused = await count({ model: "q", messages: [{ role: "user", content: "bad" }] });
  expect(refused.status).toBe(404);
  expect(JSON.stringify(refused.body)).toContain("roles must alternate");
  expect((await count({ model: "q", messages: [] })).status).toBe(404);
});

test("a failure of the tokenizer keeps its status, so that another agent may count", async () => {
  let fails = false;
  const { endpoints, count } = startUpstream(LLAMA_MODEL, {
    ...LLAMA_CPP,
    "/tokenize": () => (fails ? Response.json({ error: "busy" }, { status: 503 }) : { tokens: [1] }),
  });
  await endpoints();
  fails = true;
  expect((await count(CHAT)).status).toBe(503);
});

test.each([
  ["another upstream", [{ id: "q", owned_by: "me" }], LLAMA_CPP],
  ["a router of llama.cpp", [...LLAMA_MODEL, { id: "r", owned_by: "llamacpp" }], LLAMA_CPP],
  ["a llama.cpp without templates", LLAMA_MODEL, { ...LLAMA_CPP, "/apply-template": () => undefined }],
  ["a vLLM without a tokenizer", VLLM_MODEL, { ...LLAMA_CPP, "/tokenize": () => undefined }],
])("%s is offered without the endpoint", async (_, models, replies: Record<string, Reply>) => {
  const { endpoints, requests } = startUpstream(models, replies);
  expect(await endpoints()).toEqual(["chat/completions"]);
  if (models !== LLAMA_MODEL && models !== VLLM_MODEL)
    // An empty request finds out whether there is a tokenizer.
    expect(
      requests.filter(
        ({ path, body }) => /tokenize|template|input_tokens/.test(path) && Object.keys(body).length > 0,
      ),
    ).toEqual([]);
});
