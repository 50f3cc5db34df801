import { onTestFinished } from "bun:test";

interface Recorded {
  /** Sent with every answer. */
  headers?: Record<string, string>;
  /** The answers by path: JSON, or a text as it is. */
  routes: Record<string, object | string>;
  /** The answer to any other path. Default: 404 with a JSON error. */
  other?: { status: number; body: object | string };
}

const list = (owned_by: string, ...ids: string[]) => ({
  object: "list",
  data: ids.map((id) => ({ id, object: "model", created: 1, owned_by })),
});

/** The answers of each kind of model server, by its own source or documentation. Only fields that matter are kept. */
export const RECORDED = {
  // https://docs.ollama.com/api
  ollama: {
    routes: {
      "/": "Ollama is running",
      "/api/version": { version: "0.12.6" },
      "/api/tags": { models: [{ name: "llama3.2:latest", model: "llama3.2:latest", size: 2019393189 }] },
      "/v1/models": list("library", "llama3.2:latest"),
    },
    other: { status: 404, body: "404 page not found" },
  },
  // https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
  llamaCpp: {
    headers: { server: "llama.cpp" },
    routes: {
      "/props": {
        default_generation_settings: { n_ctx: 4096 },
        total_slots: 4,
        model_path: "/models/gemma.gguf",
        build_info: "b6700-abc",
      },
      "/v1/models": list("llamacpp", "gemma.gguf"),
      "/api/tags": { models: [{ name: "gemma.gguf", model: "gemma.gguf" }] },
    },
    other: {
      status: 404,
      body: { error: { code: 404, message: "File Not Found", type: "not_found_error" } },
    },
  },
  // https://docs.vllm.ai/en/latest/serving/openai_compatible_server/
  vllm: {
    headers: { server: "uvicorn" },
    routes: {
      "/version": { version: "0.11.0" },
      "/openapi.json": { openapi: "3.1.0", info: { title: "FastAPI", version: "0.1.0" } },
      "/v1/models": list("vllm", "Qwen/Qwen3-8B"),
    },
    other: { status: 404, body: { detail: "Not Found" } },
  },
  // https://lmstudio.ai/docs/developer/rest/endpoints
  lmStudio: {
    routes: {
      "/api/v0/models": {
        object: "list",
        data: [{ id: "phi-4", state: "not-loaded", compatibility_type: "gguf" }],
      },
      "/v1/models": list("organization_owner", "phi-4"),
    },
    other: { status: 200, body: { error: "Unexpected endpoint or method. (GET /props)" } },
  },
  // https://github.com/mostlygeek/llama-swap/blob/main/proxy/proxymanager.go
  llamaSwap: {
    routes: {
      "/api/version": { version: "v166", commit: "00460400a8f6", build_date: "2026-01-02T03:04:05Z" },
      "/running": { running: [{ model: "qwen", state: "ready" }] },
      "/v1/models": list("llama-swap", "qwen", "gemma"),
    },
  },
  // https://github.com/mudler/LocalAI/blob/master/core/http/routes/localai.go, and ollama.go beside it
  localAi: {
    routes: {
      "/": "Ollama is running",
      "/readyz": "",
      "/healthz": "",
      "/version": { version: "v3.8.0 (0123abc)" },
      "/.well-known/localai.json": { version: "v3.8.0 (0123abc)", endpoints: { models: "/v1/models" } },
      "/api/version": { version: "0.9.0" },
      "/api/tags": { models: [{ name: "hermes", model: "hermes" }] },
      "/v1/models": { object: "list", data: [{ id: "hermes", object: "model" }] },
    },
  },
  // The same, before it had `/.well-known/localai.json`.
  olderLocalAi: {
    routes: {
      "/readyz": "",
      "/version": { version: "v2.20.1 (0123abc)" },
      "/v1/models": { object: "list", data: [{ id: "hermes-2", object: "model" }] },
    },
  },
  // https://github.com/janhq/jan/blob/dev/src-tauri/src/core/server/proxy.rs, and static/openapi.json beside it
  jan: {
    routes: {
      "/": "<!DOCTYPE html><title>API Docs</title>",
      "/openapi.json": { openapi: "3.0.0", info: { title: "Jan API Server Endpoints", version: "1.0" } },
      "/v1/models": list("user", "jan-nano"),
    },
    other: { status: 404, body: "Not Found" },
  },
  // https://github.com/LostRuins/koboldcpp/blob/concedo/koboldcpp.py
  koboldCpp: {
    routes: {
      "/api/extra/version": { result: "KoboldCpp", version: "1.117.1", protected: false, llm: true },
      "/api/version": { version: "0.7.0" },
      "/api/tags": { models: [{ name: "koboldcpp", model: "koboldcpp/tiefighter" }] },
      "/props": { default_generation_settings: { n_ctx: 8192 }, total_slots: 1 },
      "/v1/models": list("koboldcpp", "koboldcpp/tiefighter"),
    },
  },
} satisfies Record<string, Recorded>;

/** A program that gives recorded answers, until the test ends. */
export interface RecordedServer {
  port: number;
  url: string;
  /** The requests so far, as `path key`. */
  asked: string[];
  stop(): Promise<void>;
}

/** Serves recorded answers. With `key`, everything but the paths in `open` needs it. */
export function serveRecorded(
  { routes, headers = {}, other = { status: 404, body: { error: "no" } } }: Recorded,
  { key, open = [], port = 0 }: { key?: string; open?: readonly string[]; port?: number } = {},
): RecordedServer {
  const asked: string[] = [];
  const answer = (status: number, body: object | string) =>
    typeof body === "string"
      ? new Response(body, { status, headers })
      : Response.json(body, { status, headers });
  const server = Bun.serve({
    port,
    hostname: "127.0.0.1",
    fetch(request) {
      const { pathname } = new URL(request.url);
      const given = request.headers.get("authorization");
      asked.push(`${pathname} ${given}`);
      if (key !== undefined && !open.includes(pathname) && given !== `Bearer ${key}`)
        return answer(401, { error: { message: "Invalid API Key", type: "authentication_error" } });
      const body = routes[pathname];
      return body === undefined ? answer(other.status, other.body) : answer(200, body);
    },
  });
  const stop = () => server.stop(true);
  onTestFinished(stop);
  return { port: server.port ?? 0, url: `http://127.0.0.1:${server.port}/v1`, asked, stop };
}
