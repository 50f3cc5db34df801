import { describe, expect, test } from "bun:test";
import { sendRawRequest } from "../support/http.ts";
import { startModelScene } from "../support/model-scene.ts";
import { ADMIN_KEY } from "../support/server.ts";
import { V2_HELLO, type V2AgentOptions } from "../support/v2-agent.ts";

const answering: V2AgentOptions = {
  hello: { ...V2_HELLO, models: [{ id: "m" }, { id: "dear" }] },
  onAsk: ({ ask }, agent) => agent.say({ type: "done", ask, status: 200, body: "{}" }),
};
const KEY = { authorization: `Bearer ${ADMIN_KEY}` };
const CHAT = { model: "m", messages: [] };

async function scene() {
  const { server, agent } = await startModelScene(answering);
  const call = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${server.url}${path}`, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text };
  };
  const post = (path: string, body: object, headers: Record<string, string> = KEY) =>
    call(path, { method: "POST", headers, body: JSON.stringify(body) });
  return { server, agent, call, post };
}

describe("paths of other base URLs", () => {
  test("a path of another base URL is served, logged and measured as the route that it stands for", async () => {
    const { server, call, post } = await scene();
    for (const path of ["/chat/completions", "/v1/v1/chat/completions", "//v1/chat/completions/"])
      expect((await post(path, CHAT)).status).toBe(200);
    expect((await call("/openai/models", { headers: KEY })).status).toBe(200);
    const routes = [...server.logged().matchAll(/"method":"(\w+)","route":"([^"]+)"/g)].map(
      ([, method, route]) => `${method} ${route}`,
    );
    expect(routes.filter((route) => route.startsWith("POST"))).toEqual(
      Array.from({ length: 3 }, () => "POST /v1/chat/completions"),
    );
    const metrics = await call("/metrics", { headers: KEY });
    expect(metrics.text).toMatch(/route="\/v1\/chat\/completions"[^\n]* 3\n/);
    expect(metrics.text).not.toContain('route="/chat');
  });

  test("a path of another base URL needs a key as its route does, and has its error style", async () => {
    const { post } = await scene();
    for (const path of ["/chat/completions", "/openai/deployments/m/chat/completions"])
      expect(await post(path, CHAT, {})).toMatchObject({
        status: 401,
        text: expect.stringContaining('"code":"invalid_api_key"'),
      });
    expect(await post("/v1/v1/messages", CHAT, {})).toMatchObject({
      status: 401,
      text: expect.stringContaining('"type":"authentication_error"'),
    });
  });

  test("Ollama's paths below another base URL are served as Ollama's, with the same access", async () => {
    const { call, post } = await scene();
    for (const path of ["/v1/api/tags", "/api/tags/", "//api/tags", "/api/api/tags", "/ollama/api/tags"]) {
      const { status, text } = await call(path, { headers: KEY });
      expect([path, status, JSON.parse(text).models.length]).toEqual([path, 200, 2]);
      expect(await call(path)).toMatchObject({ status: 401, text: '{"error":"API key not provided."}' });
    }
    expect(await post("/v1/api/show", { model: "m" })).toMatchObject({ status: 200 });
    expect(await post("/v1/api/blobs/sha256:1", {})).toMatchObject({ status: 403 });
    const { status, text } = await post("/foo/api/chat", CHAT);
    expect([status, JSON.parse(text).error]).toEqual([404, expect.stringContaining("Ollama clients http")]);
  });

  test("the model in Azure's path is the one that is checked and sent, whatever the body says", async () => {
    const { server, agent, post } = await scene();
    const added = await post("/admin/users/add", { models: ["m"] });
    const headers = { "api-key": JSON.parse(added.text).token };
    const path = (model: string) => `/openai/deployments/${model}/chat/completions?api-version=2025-04-01`;
    for (const body of [CHAT, { ...CHAT, model: "dear" }, { messages: [] }]) {
      expect((await post(path("m"), body, headers)).status).toBe(200);
      expect(JSON.parse((await agent.next("ask")).body)).toEqual({ ...body, model: "m" });
    }
    expect((await post(path("dear"), CHAT, headers)).status).toBe(403);
    expect((await post(path("x".repeat(257)), CHAT, headers)).status).toBe(400);
    expect((await post("/v1/chat/completions", { messages: [] }, headers)).status).toBe(400);
    expect(server.logged()).not.toContain("x".repeat(257));
  });
});

describe("other paths", () => {
  test("a 404 near the model API names the base URLs, in the style of the API", async () => {
    const { server, post } = await scene();
    const { url } = server;
    const hint = `The base URL for OpenAI clients is ${url}/v1, and for Anthropic and Ollama clients ${url}.`;
    for (const path of ["/foo/v1/chat/completions", "/v1/chat/completions/chat/completions", "/v1/nothing"]) {
      const { status, text } = await post(path, CHAT);
      expect([path, status, JSON.parse(text).error]).toEqual([
        path,
        404,
        expect.objectContaining({ message: `There is no such path. ${hint}`, code: "not_found" }),
      ]);
    }
    const { text } = await post("/foo/v1/messages", CHAT);
    const error = { type: "not_found_error", message: `There is no such path. ${hint}` };
    expect(JSON.parse(text)).toMatchObject({ type: "error", error });
    expect(JSON.parse((await post("/nothing", CHAT)).text)).toEqual({ error: "404 page not found" });
  });

  test("a WebSocket at a model route is a 426 that says what to do", async () => {
    const { server } = await scene();
    const handshake = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13";
    const asked = `GET /v1/responses HTTP/1.1\r\nHost: localhost\r\n${handshake}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
    const answer = await sendRawRequest(server.url, asked);
    expect(answer?.status).toBe(426);
    expect(answer?.headers.get("upgrade")).toBe("HTTP/1.1");
    expect(answer?.headers.get("allow")).toBe("POST, OPTIONS");
    expect(JSON.parse(answer?.body ?? "").error).toMatchObject({
      code: "websocket_not_supported",
      message: "This path does not support WebSockets. Send the request as an HTTP POST.",
    });
  });

  test("HEAD tells the length that the body of a GET has", async () => {
    const { call } = await scene();
    for (const path of ["/v1/models", "/health", "/openapi.json", "/nothing", "/dashboard"]) {
      const init = { headers: { ...KEY, "accept-encoding": "identity" } };
      const body = await call(path, init);
      const head = await call(path, { ...init, method: "HEAD" });
      expect([path, head.status, head.text]).toEqual([path, body.status, ""]);
      const length = Number(head.headers.get("content-length"));
      expect(length).toBe(Buffer.byteLength(body.text));
    }
  });
});
