import { expect, onTestFinished, test } from "bun:test";
import { createHttpUpstream } from "../../../src/builtin-agent/http-upstream.ts";
import { OLLAMA_ENDPOINTS } from "../../../src/protocol/agent-v2.ts";

type Routes = Record<string, () => Response>;

const text = (body: string, status = 200) => new Response(body, { status });
const json = (body: object, status = 200) => Response.json(body, { status });
const models = () => json({ object: "list", data: [{ id: "m", owned_by: "library" }] });

/** The answers of an Ollama. */
const OLLAMA: Routes = {
  "GET /": () => text("Ollama is running"),
  "GET /api/version": () => json({ version: "0.12.11" }),
  "GET /v1/models": models,
  "POST /api/chat": () => json({ error: "model is required" }, 400),
  "POST /api/generate": () => json({ error: "model '' not found" }, 404),
  "POST /api/embed": () => json({ error: "model '' not found" }, 404),
};

async function endpointsOf(routes: Routes) {
  const lines: string[] = [];
  const server = Bun.serve({
    ...{ port: 0, hostname: "127.0.0.1" },
    fetch(request) {
      const line = `${request.method} ${new URL(request.url).pathname}`;
      lines.push(line);
      return routes[line]?.() ?? json({ error: { message: "no such path" } }, 404);
    },
  });
  onTestFinished(() => server.stop(true));
  const upstream = createHttpUpstream({ url: `http://127.0.0.1:${server.port}`, models: [], endpoints: [] });
  const status = await upstream.check(new AbortController().signal);
  const all = "offer" in status ? status.offer.endpoints : [];
  const found = all.filter((name) => name.startsWith("api/"));
  return {
    all,
    found,
    posts: lines.filter((line) => line.startsWith("POST /api/") && line !== "POST /api/show"),
  };
}

test("the endpoints of an Ollama are found, and those that it has not are not", async () => {
  expect((await endpointsOf(OLLAMA)).found).toEqual([...OLLAMA_ENDPOINTS]);
  const older = { ...OLLAMA, "POST /api/embed": () => text("404 page not found", 404) };
  expect((await endpointsOf(older)).found).toEqual(["api/chat", "api/generate"]);
});

const page = () => text("<!doctype html><title>Chat</title>");
const completion = () => json({ choices: [{ message: { content: "" } }] });

test.each<[string, Routes]>([
  ["llama.cpp, whose /api/chat is of chat completions", { "GET /": page, "POST /api/chat": completion }],
  ["KoboldCpp, which answers even nothing", { "GET /": page, "POST /api/chat": () => json({ done: true }) }],
  ["LocalAI", { "GET /": page, "GET /api/version": () => text("", 404) }],
  [
    "Open WebUI, which has a page at every path",
    { "GET /": page, "GET /api/version": () => json({ version: "0.6" }) },
  ],
  ["llama-swap", { "GET /": page, "POST /api/chat": () => text("404 page not found", 404) }],
  ["LM Studio", { "GET /": () => json({ error: "Unexpected endpoint or method. (GET /)" }) }],
  ["a server of ours", { "GET /openapi.json": () => json({ info: { title: "chatgpt-api-server" } }) }],
])("an upstream that is not an Ollama gets no request at these endpoints: %s", async (_, routes) => {
  expect(await endpointsOf({ ...OLLAMA, ...routes })).toMatchObject({ found: [], posts: [] });
});

test("chat completions are not assumed of an Ollama that has only its own API", async () => {
  expect((await endpointsOf(OLLAMA)).all).toEqual([...OLLAMA_ENDPOINTS]);
});

test("an endpoint that does work for an empty request, or refuses it in another way, is not Ollama's", async () => {
  for (const answer of [completion, () => json({ error: { message: "model" } }, 422), page]) {
    const routes = { ...OLLAMA, "POST /api/chat": answer };
    expect((await endpointsOf(routes)).found).toEqual(["api/generate", "api/embed"]);
  }
});
