import { expect, onTestFinished, test } from "bun:test";
import { createHttpUpstream } from "../../../src/builtin-agent/http-upstream.ts";
import { contextLengthOf } from "../../../src/builtin-agent/models/context-length.ts";

test.each<[string, unknown, number | undefined]>([
  ["vLLM", { max_model_len: 8192 }, 8192],
  ["OpenRouter", { context_length: 8192, top_provider: { context_length: 4096 } }, 8192],
  ["Groq", { context_window: 8192 }, 8192],
  ["Mistral", { max_context_length: 8192 }, 8192],
  ["Anthropic", { max_input_tokens: 8192 }, 8192],
  ["an older llama.cpp", { meta: { n_ctx_train: 8192, n_vocab: 32_000 } }, 8192],
  ["llama.cpp", { meta: { n_ctx_train: 131_072, n_ctx: 8192 } }, 8192],
  ["LM Studio, loaded", { max_context_length: 131_072, loaded_context_length: 8192 }, 8192],
  [
    "a broken upstream",
    { context_length: 1.5, context_window: "8192", meta: null, max_model_len: -1 },
    undefined,
  ],
  ["an upstream that says 0 first", { context_length: 0, max_model_len: 8192 }, 8192],
  ["OpenAI", {}, undefined],
])("the context length of %s is read from its list of models", (_, entry, length) => {
  expect(contextLengthOf(entry)).toBe(length);
});

type Reply = (body: { model?: string }) => unknown;

/** Starts an upstream that answers these requests with JSON, and any other with a 404. */
function startUpstream(models: object[], replies: Record<string, Reply>) {
  const lines: string[] = [];
  const all: Record<string, Reply> = { "GET /v1/models": () => ({ data: models }), ...replies };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const line = `${request.method} ${new URL(request.url).pathname}`;
      const text = await request.text();
      const { model } = text ? JSON.parse(text) : {};
      lines.push(model ? `${line} ${model}` : line);
      const reply = all[line]?.({ model });
      return reply === undefined ? Response.json({}, { status: 404 }) : Response.json(reply);
    },
  });
  onTestFinished(() => server.stop(true));
  const url = `http://127.0.0.1:${server.port}/v1`;
  const upstream = createHttpUpstream({ url, models: [], endpoints: ["chat/completions"] });
  return {
    /** Returns the context length of each model after a check, and the requests for them. */
    async check() {
      lines.length = 0;
      const status = await upstream.check(new AbortController().signal);
      const offered = "offer" in status ? status.offer.models : [];
      return {
        lengths: Object.fromEntries(offered.map((model) => [model.id, model.context_length])),
        asked: lines.filter((line) => !line.endsWith("/v1/models")).toSorted(),
      };
    },
  };
}

const ollama = (id: string) => ({ id, object: "model", owned_by: "library" });

test("Ollama is asked for the length of loaded models in each check, and once for each model", async () => {
  let loaded: object[] = [{ name: "loaded:latest", context_length: 4096 }];
  const shown: Record<string, object> = {
    "loaded:latest": { capabilities: ["completion"] },
    "chosen:latest": { parameters: 'stop  "<|end|>"\nnum_ctx                        16384', model_info: {} },
    "trained:latest": { model_info: { "llama.block_count": 32, "llama.context_length": 131_072 } },
    "strange:latest": { parameters: 7, model_info: "none" },
  };
  const ids = Object.keys(shown);
  const upstream = startUpstream(ids.map(ollama), {
    "GET /api/ps": () => ({ models: loaded }),
    "POST /api/show": ({ model = "" }) => shown[model],
  });
  const first = { "chosen:latest": 16_384, "trained:latest": 131_072, "strange:latest": undefined };
  expect(await upstream.check()).toEqual({
    lengths: { "loaded:latest": 4096, ...first },
    asked: [
      "GET /api/ps",
      "GET /api/tags",
      ...Object.keys(shown)
        .map((id) => `POST /api/show ${id}`)
        .toSorted(),
    ],
  });
  loaded = [
    { name: "trained:latest", context_length: 8192 },
    { name: "loaded:latest", context_length: 4096 },
  ];
  expect(await upstream.check()).toEqual({
    lengths: { "loaded:latest": 4096, ...first, "trained:latest": 8192 },
    asked: ["GET /api/ps", "GET /api/tags"],
  });
});

test("Ollama is asked about at most 20 models in one check", async () => {
  const ids = Array.from({ length: 50 }, (_, index) => `m${index}:latest`);
  const upstream = startUpstream(ids.map(ollama), {
    "GET /api/ps": () => ({ models: [] }),
    "POST /api/show": () => ({ model_info: { "x.context_length": 2048 } }),
  });
  const known: number[] = [];
  for (let checks = 0; checks < 4; checks++) {
    const { lengths } = await upstream.check();
    known.push(Object.values(lengths).filter((length) => length === 2048).length);
  }
  expect(known).toEqual([20, 40, 50, 50]);
});

test("llama.cpp with one model tells the length that it was started with", async () => {
  const entry = { id: "gguf", owned_by: "llamacpp", meta: { n_ctx_train: 131_072 } };
  const props = { "GET /props": () => ({ default_generation_settings: { n_ctx: 8192 } }) };
  expect(await startUpstream([entry], props).check()).toEqual({
    lengths: { gguf: 8192 },
    asked: ["GET /props"],
  });
  expect(await startUpstream([entry], {}).check()).toMatchObject({ lengths: { gguf: 131_072 } });
  const two = [entry, { ...entry, id: "other" }];
  expect(await startUpstream(two, props).check()).toEqual({
    lengths: { gguf: 131_072, other: 131_072 },
    asked: [],
  });
});

test("LM Studio tells the length of each model, loaded or not", async () => {
  const models = ["loaded", "idle", "odd"].map((id) => ({ id, owned_by: "organization_owner" }));
  const data = [
    { id: "loaded", max_context_length: 131_072, loaded_context_length: 4096 },
    { id: "idle", max_context_length: 32_768 },
    { id: "odd", max_context_length: "long" },
    null,
  ];
  expect(await startUpstream(models, { "GET /api/v0/models": () => ({ data }) }).check()).toEqual({
    lengths: { loaded: 4096, idle: 32_768, odd: undefined },
    asked: ["GET /api/v0/models"],
  });
});

test("any other upstream is asked for nothing but its models", async () => {
  const models = [{ id: "gpt", owned_by: "openai" }, { id: "bare" }, { id: "sized", max_model_len: 2048 }];
  const upstream = startUpstream(models, {});
  const lengths = { gpt: undefined, bare: undefined, sized: 2048 };
  expect(await upstream.check()).toEqual({ lengths, asked: [] });
});
