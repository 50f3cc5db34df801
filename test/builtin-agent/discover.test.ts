import { describe, expect, onTestFinished, test } from "bun:test";
import { discover, type ModelServer } from "../../src/builtin-agent/discover.ts";
import { startTestServer } from "../support/server.ts";

type Routes = Record<string, object>;

function serve(routes: Routes, headers: Record<string, string> = {}): number {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const body = routes[new URL(request.url).pathname];
      return Response.json(body ?? { error: "no" }, { status: body ? 200 : 404, headers });
    },
  });
  onTestFinished(() => server.stop(true));
  return server.port ?? 0;
}

const models = (...ids: string[]) => ({
  "/v1/models": { object: "list", data: ids.map((id) => ({ id, object: "model", owned_by: "vllm" })) },
});
const OLLAMA = { "/api/version": { version: "0.12.6" }, ...models("llama3.2") };
const LLAMA_CPP = { "/props": { default_generation_settings: {}, total_slots: 4 }, ...models("gguf") };
const VLLM = { "/version": { version: "0.11.0" }, ...models("qwen") };
const LM_STUDIO = { "/api/v0/models": { object: "list", data: [] }, ...models("phi") };

/** Nothing listens on port 1. */
const NOWHERE: Record<ModelServer, number> = { ollama: 1, llamaCpp: 1, vllm: 1, lmStudio: 1 };
const look = (ports: Partial<Record<ModelServer, number>>, server = "ws://127.0.0.1:2") =>
  discover({ server, ports: { ...NOWHERE, ...ports }, limitMs: 500 });

describe("discovery on this machine", () => {
  test("each kind of model server is found, with its models", async () => {
    const ports = {
      ollama: serve(OLLAMA),
      llamaCpp: serve(LLAMA_CPP),
      vllm: serve(VLLM),
      lmStudio: serve(LM_STUDIO),
    };
    const url = (port: number) => `http://127.0.0.1:${port}/v1`;
    expect(await look(ports)).toEqual([
      { name: "Ollama", url: url(ports.ollama), models: ["llama3.2"] },
      { name: "llama.cpp", url: url(ports.llamaCpp), models: ["gguf"] },
      { name: "vLLM", url: url(ports.vllm), models: ["qwen"] },
      { name: "LM Studio", url: url(ports.lmStudio), models: ["phi"] },
    ]);
  });

  test("a model server with models comes before one without", async () => {
    const empty = { "/api/version": { version: "1" }, ...models() };
    const found = await look({ ollama: serve(empty), vllm: serve(VLLM) });
    expect(found.map(({ name }) => name)).toEqual(["vLLM", "Ollama"]);
  });

  test("llama.cpp is recognised by its header if it needs a key", async () => {
    const port = serve(models("gguf"), { server: "llama.cpp" });
    expect((await look({ llamaCpp: port })).map(({ name }) => name)).toEqual(["llama.cpp"]);
  });

  test("nothing is found if nothing listens", async () => {
    expect(await look({})).toEqual([]);
  });

  test("other programs on those ports are not used, even if they list models", async () => {
    const other = serve({ ...models("x"), "/version": { version: "1" }, "/health": { status: "ok" } });
    const plain = serve({
      "/v1/models": { data: [{ id: "x", owned_by: "openai" }] },
      "/version": { version: "1" },
    });
    expect(await look({ ollama: other, llamaCpp: other, lmStudio: other, vllm: plain })).toEqual([]);
  });

  test("a chatgpt-api-server is never taken for a model server", async () => {
    const { port } = new URL((await startTestServer()).url);
    const own = Number(port);
    expect(await look({ ollama: own, llamaCpp: own, vllm: own, lmStudio: own })).toEqual([]);
  });

  test("the server that the agent connects to gets no request", async () => {
    let asked = 0;
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => {
        asked++;
        return Response.json({ version: "1" });
      },
    });
    onTestFinished(() => server.stop(true));
    const port = server.port ?? 0;
    expect(await look({ ollama: port, llamaCpp: port }, `ws://localhost:${port}/client/register`)).toEqual(
      [],
    );
    expect(asked).toBe(0);
  });
});
