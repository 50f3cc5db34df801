import { describe, expect, onTestFinished, test } from "bun:test";
import { discover } from "../../../src/builtin-agent/discovery/discover.ts";
import { startTestServer } from "../../support/server.ts";
import { RECORDED, serveRecorded } from "./answers.ts";

const look = (ports: readonly number[], server = "ws://127.0.0.1:2", key?: string) =>
  discover({ server, ports, key, limitMs: 5_000 });
const namesAt = async (...ports: number[]) => (await look(ports)).map(({ name }) => name);

const list = (owned_by: string, ...ids: string[]) => ({
  "/v1/models": { data: ids.map((id) => ({ id, owned_by })) },
});

describe("discovery on this machine", () => {
  test.each([
    ["Ollama", RECORDED.ollama, ["llama3.2:latest"]],
    ["llama.cpp", RECORDED.llamaCpp, ["gemma.gguf"]],
    ["vLLM", RECORDED.vllm, ["Qwen/Qwen3-8B"]],
    ["LM Studio", RECORDED.lmStudio, ["phi-4"]],
    ["llama-swap", RECORDED.llamaSwap, ["qwen", "gemma"]],
    ["LocalAI", RECORDED.localAi, ["hermes"]],
    ["LocalAI", RECORDED.olderLocalAi, ["hermes-2"]],
    ["Jan", RECORDED.jan, ["jan-nano"]],
    ["KoboldCpp", RECORDED.koboldCpp, ["koboldcpp/tiefighter"]],
  ] as const)("%s is recognized by what it answers, whatever its port is", async (name, recorded, models) => {
    const { port, url } = serveRecorded(recorded);
    expect(await look([port])).toEqual([
      { name, url, models: [...models], alsoAt: [], slug: expect.stringMatching(/^[a-z.-]+$/) },
    ]);
  });

  test("all model servers are found, in the order of the ports", async () => {
    const servers = [RECORDED.jan, RECORDED.ollama, RECORDED.vllm].map((recorded) => serveRecorded(recorded));
    expect(await namesAt(...servers.map(({ port }) => port))).toEqual(["Jan", "Ollama", "vLLM"]);
  });

  test("a process that answers at two ports is found once", async () => {
    const [first, second] = [serveRecorded(RECORDED.ollama), serveRecorded(RECORDED.ollama)];
    const found = await look([first.port, second.port]);
    expect(found.map(({ url, alsoAt }) => [url, alsoAt])).toEqual([[first.url, [second.url]]]);
  });

  test("two servers of one kind are two if their models differ", async () => {
    const other = {
      ...RECORDED.ollama,
      routes: { ...RECORDED.ollama.routes, ...list("library", "qwen3:8b") },
    };
    const found = await look([serveRecorded(RECORDED.ollama).port, serveRecorded(other).port]);
    expect(found.map(({ models }) => models)).toEqual([["llama3.2:latest"], ["qwen3:8b"]]);
  });

  test("llama.cpp is recognized by its header while it loads its model", async () => {
    const loading = { error: { code: 503, message: "Loading model", type: "unavailable_error" } };
    const { port } = serveRecorded({
      headers: { server: "llama.cpp" },
      routes: {},
      other: { status: 503, body: loading },
    });
    expect(await look([port])).toMatchObject([{ name: "llama.cpp", models: [] }]);
  });

  test("the key is sent only to a model server that was recognized", async () => {
    const stranger = serveRecorded({ routes: {} }, { key: "upstream-key" });
    const known = serveRecorded(RECORDED.llamaCpp, { key: "upstream-key" });
    const found = await look([stranger.port, known.port], undefined, "upstream-key");
    expect(found).toMatchObject([{ name: "llama.cpp", models: ["gemma.gguf"] }]);
    expect(stranger.asked.filter((line) => !line.endsWith(" null"))).toEqual([]);
    expect(known.asked).toContain("/v1/models Bearer upstream-key");
  });

  test("nothing is found if nothing listens", async () => {
    // Nothing listens on port 1.
    expect(await look([1])).toEqual([]);
  });

  test("other programs are not used, even if they list models, and get one request if they do not", async () => {
    const lists = serveRecorded({
      routes: { ...list("openai", "x"), "/version": { version: "1" }, "/health": { status: "ok" } },
    });
    const page = serveRecorded({
      routes: {},
      other: { status: 200, body: "<html>a page for every path</html>" },
    });
    expect(await namesAt(lists.port, page.port)).toEqual([]);
    expect(page.asked).toEqual(["/v1/models null"]);
  });

  test("a chatgpt-api-server is never taken for a model server", async () => {
    const { port } = new URL((await startTestServer()).url);
    expect(await look([Number(port)])).toEqual([]);
  });

  test("a chatgpt-api-server without keys that offers models of Ollama is not taken for Ollama", async () => {
    const routes = {
      ...RECORDED.ollama.routes,
      "/openapi.json": { openapi: "3.1.0", info: { title: "chatgpt-api-server" } },
    };
    expect(await namesAt(serveRecorded({ ...RECORDED.ollama, routes }).port)).toEqual([]);
  });

  test("the title by which a server of ours is recognized is the one that it has", async () => {
    const { url } = await startTestServer();
    const response = await fetch(`${url}/openapi.json`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ info: { title: "chatgpt-api-server" } });
  });

  test("the server that the agent connects to gets no request", async () => {
    const own = serveRecorded(RECORDED.ollama);
    expect(await look([own.port], `ws://localhost:${own.port}/client/register`)).toEqual([]);
    expect(own.asked).toEqual([]);
  });

  test("a program that accepts connections and says nothing does not hold up the search", async () => {
    const silent = Bun.listen({ port: 0, hostname: "127.0.0.1", socket: { data() {} } });
    onTestFinished(() => silent.stop(true));
    expect(await discover({ server: "ws://127.0.0.1:2", ports: [silent.port], limitMs: 200 })).toEqual([]);
  });
});
