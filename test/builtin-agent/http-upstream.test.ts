import { describe, expect, onTestFinished, test } from "bun:test";
import { createHttpUpstream, type HttpUpstreamOptions } from "../../src/builtin-agent/http-upstream.ts";
import { COUNT_ENDPOINT, ENDPOINTS, isOllamaEndpoint } from "../../src/protocol/agent-v2.ts";
import { ROOT_ENDPOINTS } from "../../src/protocol/endpoints.ts";
import { startFaultUpstream } from "../support/upstream/start.ts";

type Answer = Response | Promise<Response>;

/** Starts an upstream with these routes, `GET /path` or `POST /path`. Any other is a 404. */
function serve(routes: Record<string, (request: Request) => Answer>) {
  const requests: { line: string; headers: Headers; body: string }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const line = `${request.method} ${new URL(request.url).pathname}`;
      requests.push({ line, headers: new Headers(request.headers), body: await request.clone().text() });
      return routes[line]?.(request) ?? Response.json({ detail: "Not Found" }, { status: 404 });
    },
  });
  onTestFinished(() => server.stop(true));
  return { url: `http://127.0.0.1:${server.port}`, requests, lines: () => requests.map(({ line }) => line) };
}

const list = (...ids: string[]) => Response.json({ object: "list", data: ids.map((id) => ({ id })) });
const bad = () => Response.json({ error: { message: "messages is required" } }, { status: 400 });
const never = new AbortController().signal;

function check(url: string, options: Partial<HttpUpstreamOptions> = {}) {
  return createHttpUpstream({ url, models: [], endpoints: [], ...options }).check(never);
}
async function offerOf(url: string, options: Partial<HttpUpstreamOptions> = {}) {
  const status = await check(url, options);
  return "offer" in status ? status.offer : undefined;
}
async function problemOf(url: string, options: Partial<HttpUpstreamOptions> = {}) {
  const status = await check(url, options);
  return "problem" in status ? status : undefined;
}

describe("the base URL", () => {
  test.each(["", "/", "/v1", "/v1/"])("the base URL is found from a URL that ends in %j", async (path) => {
    const { url, lines } = serve({ "GET /v1/models": () => list("a"), "POST /v1/chat/completions": bad });
    const upstream = createHttpUpstream({ url: url + path, models: [], endpoints: [] });
    expect(await upstream.check(never)).toEqual({
      offer: { models: [{ id: "a" }], endpoints: ["chat/completions"] },
    });
    expect((await upstream.request("chat/completions", "{}", never)).status).toBe(400);
    expect(lines().at(-1)).toBe("POST /v1/chat/completions");
  });

  test("the base URL may have any path, with or without /v1", async () => {
    const { url } = serve({
      "GET /openai/models": () => list("a"),
      "GET /deep/er/v1/models": () => list("b"),
    });
    expect((await offerOf(`${url}/openai`))?.models).toEqual([{ id: "a" }]);
    expect((await offerOf(`${url}/deep/er`))?.models).toEqual([{ id: "b" }]);
  });

  test("the base URL is the one that answers with a list of models", async () => {
    const { url } = serve({
      "GET /models": () => list("bare"),
      "GET /v1/models": () => Response.json({ error: "Unexpected endpoint" }),
    });
    expect((await offerOf(url))?.models).toEqual([{ id: "bare" }]);
  });
});

describe("models", () => {
  test("models have the owner and context length that the upstream gives, and those without a usable id are left out", async () => {
    const data = [
      { id: "a", owned_by: "vllm", max_model_len: 8192 },
      { id: "b", owned_by: "", context_length: 1.5 },
      { id: "" },
      { id: "x".repeat(257) },
      { id: 7 },
      null,
      { id: "a" },
    ];
    const { url } = serve({ "GET /v1/models": () => Response.json({ data }) });
    expect((await offerOf(url))?.models).toEqual([{ id: "a" }, { id: "b" }]);
    const first = serve({ "GET /v1/models": () => Response.json({ data: data.slice(0, 1) }) });
    expect((await offerOf(first.url))?.models).toEqual([{ id: "a", owned_by: "vllm", context_length: 8192 }]);
  });

  test("at most a thousand models are offered", async () => {
    const ids = Array.from({ length: 1200 }, (_, index) => `m${index}`);
    const { url } = serve({ "GET /v1/models": () => list(...ids) });
    expect((await offerOf(url))?.models).toHaveLength(1000);
  });

  test("chosen models are offered whether the upstream lists them or not, and no others", async () => {
    const { url } = serve({
      "GET /v1/models": () => Response.json({ data: [{ id: "a", owned_by: "me" }, { id: "b" }] }),
    });
    expect((await offerOf(url, { models: ["a", "hidden"] }))?.models).toEqual([
      { id: "a", owned_by: "me" },
      { id: "hidden" },
    ]);
  });

  test("if the upstream lists no models, they must be chosen", async () => {
    const { url } = serve({ "POST /v1/chat/completions": bad });
    expect((await problemOf(url))?.problem).toContain("give --model");
    expect((await offerOf(url, { models: ["a"] }))?.models).toEqual([{ id: "a" }]);
  });
});

/** The endpoints that any upstream may have. */
const COMMON = ENDPOINTS.filter((endpoint) => endpoint !== COUNT_ENDPOINT && !isOllamaEndpoint(endpoint));
/** Each endpoint is looked for below the base URL, and those that may be at the root also there. */
const PROBES = COMMON.length + ROOT_ENDPOINTS.size;

describe("endpoints", () => {
  const statuses = (status: number, body: object = { error: { message: "no" } }) => ({
    "GET /v1/models": () => list("a"),
    "POST /v1/chat/completions": bad,
    "POST /v1/responses": () => Response.json(body, { status }),
  });

  test.each<[number, string, string]>([
    [200, "text/html", "<!doctype html><title>App</title>"],
    [200, "application/json", "<html></html>"],
    [200, "text/plain", "OK"],
    [200, "application/json", '"OK"'],
    [403, "text/html", "<html>Forbidden</html>"],
    [500, "text/plain", "Internal Server Error"],
    [200, "application/json", ""],
  ])(
    "an endpoint whose answer is %d, %s and %j does not exist, as it is not JSON",
    async (status, type, text) => {
      const { url } = serve({
        ...statuses(200),
        "POST /v1/responses": () => new Response(text, { status, headers: { "content-type": type } }),
      });
      expect((await offerOf(url))?.endpoints).toEqual(["chat/completions"]);
    },
  );

  test.each([400, 401, 403, 422, 429, 500, 503])("an endpoint that answers %d exists", async (status) => {
    const { url } = serve(statuses(status));
    expect((await offerOf(url))?.endpoints).toEqual(["chat/completions", "responses"]);
  });

  test.each([404, 405, 501])("an endpoint that answers %d does not exist", async (status) => {
    const { url } = serve(statuses(status));
    expect((await offerOf(url))?.endpoints).toEqual(["chat/completions"]);
  });

  test("an endpoint that answers 404 about the model exists, one that answers 200 with an error does not", async () => {
    const { url } = serve(statuses(404, { error: { message: "model '' not found" } }));
    expect((await offerOf(url))?.endpoints).toEqual(["chat/completions", "responses"]);
    const other = serve(statuses(200, { error: "Unexpected endpoint or method. (POST /v1/responses)" }));
    expect((await offerOf(other.url))?.endpoints).toEqual(["chat/completions"]);
  });

  test("each endpoint gets one empty request, one that hangs does not exist, and without any chat completions are assumed", async () => {
    const { url, requests, lines } = serve({
      "GET /v1/models": () => list("a"),
      "POST /v1/chat/completions": () => new Promise<Response>(() => {}),
    });
    const upstream = createHttpUpstream({ url, models: [], endpoints: [], limits: { probeMs: 100 } });
    for (let times = 0; times < 3; times++)
      expect(await upstream.check(never)).toMatchObject({ offer: { endpoints: ["chat/completions"] } });
    const posts = requests.filter(({ line }) => line.startsWith("POST"));
    expect(posts.map(({ body }) => body)).toEqual(Array(PROBES).fill("{}"));
    expect(lines().filter((line) => line === "GET /v1/models")).toHaveLength(3);
  });

  test("chosen endpoints get no request", async () => {
    const { url, lines } = serve({ "GET /v1/models": () => list("a") });
    expect((await offerOf(url, { endpoints: ["embeddings"] }))?.endpoints).toEqual(["embeddings"]);
    expect(lines()).toEqual(["GET /v1/models"]);
  });

  test("endpoints are looked for again after the upstream was down", async () => {
    let status = 200;
    const { url, lines } = serve({
      "GET /v1/models": () => (status === 200 ? list("a") : new Response("", { status })),
    });
    const upstream = createHttpUpstream({ url, models: [], endpoints: [] });
    const posts = () => lines().filter((line) => line.startsWith("POST")).length;
    await upstream.check(never);
    expect(posts()).toBe(PROBES);
    status = 503;
    expect(await upstream.check(never)).toEqual({
      problem: "it responds with status 503",
      unreachable: false,
    });
    status = 200;
    await upstream.check(never);
    expect(posts()).toBe(2 * PROBES);
  });

  test("the three endpoints of the test upstream are found", async () => {
    const { url } = await startFaultUpstream();
    expect((await offerOf(url))?.endpoints).toEqual(["chat/completions", "responses", "embeddings"]);
  });
});

describe("problems", () => {
  test("a refused key is a problem that names the setting, and not the key", async () => {
    const { url } = serve({ "GET /v1/models": () => new Response("", { status: 401 }) });
    expect(await problemOf(url, { key: "sk-secret-key" })).toEqual({
      problem: "it refuses the key (401); check --upstream-key",
      unreachable: false,
    });
  });

  test("an upstream that hangs and one that does not listen are told apart", async () => {
    const { url } = serve({ "GET /v1/models": () => new Promise<Response>(() => {}) });
    expect(await problemOf(url, { limits: { listMs: 50 } })).toEqual({
      problem: "it does not list its models within 1 s; --model offers models without a list",
      unreachable: false,
    });
    expect(await problemOf("http://127.0.0.1:1/v1")).toEqual({
      problem: "it cannot be reached (connection refused)",
      unreachable: true,
    });
  });
});

test("a status from a proxy of the environment may be that of the proxy", async () => {
  const { url } = serve({ "GET /v1/models": () => new Response("", { status: 502 }) });
  expect((await problemOf(url, { viaProxy: true }))?.problem).toBe(
    "it, or the HTTP proxy of the environment, responds with status 502",
  );
});

test("a request has the key, the unchanged body, and only the headers that are needed", async () => {
  const ok = () => Response.json({});
  const { url, requests } = serve({
    "GET /v1/models": () => list("a"),
    "POST /v1/chat/completions": ok,
    "POST /v1/messages": ok,
  });
  const upstream = createHttpUpstream({ url, key: "sk-1", models: [], endpoints: ["messages"] });
  await upstream.check(never);
  const body = '{ "model":"a",  "x": 1.0, "ü":"\\u00fc" }';
  await upstream.request("chat/completions", body, never);
  await upstream.request("messages", body, never);
  const [models, chat, messages] = requests;
  expect(models?.headers.get("authorization")).toBe("Bearer sk-1");
  expect(chat?.body).toBe(body);
  const shown = (headers: Headers | undefined) =>
    ["authorization", "content-type", "x-api-key", "anthropic-version"].map(
      (name) => headers?.get(name) ?? null,
    );
  expect(shown(chat?.headers)).toEqual(["Bearer sk-1", "application/json", null, null]);
  // Otherwise a stream would be held back until it is worth compressing.
  expect(chat?.headers.get("accept-encoding")).toBe("identity");
  expect(shown(messages?.headers)).toEqual(["Bearer sk-1", "application/json", "sk-1", "2023-06-01"]);
});

test("an upstream that takes no key as Bearer for its list, as Anthropic, gets it in x-api-key", async () => {
  const { url, requests } = serve({
    "GET /v1/models": ({ headers }) =>
      headers.has("authorization") || headers.get("x-api-key") !== "sk-1"
        ? Response.json({ error: { message: "Invalid bearer token" } }, { status: 401 })
        : list("claude"),
    "POST /v1/messages": () => Response.json({}),
    "POST /v1/chat/completions": () => Response.json({}),
  });
  const upstream = createHttpUpstream({ url, key: "sk-1", models: [], endpoints: ["messages"] });
  expect(await upstream.check(never)).toMatchObject({ offer: { models: [{ id: "claude" }] } });
  await upstream.request("messages", "{}", never);
  await upstream.request("chat/completions", "{}", never);
  const keysOf = (headers: Headers | undefined) =>
    ["authorization", "x-api-key"].map((name) => headers?.get(name) ?? null);
  expect(keysOf(requests.at(-2)?.headers)).toEqual([null, "sk-1"]);
  expect(keysOf(requests.at(-1)?.headers)).toEqual(["Bearer sk-1", null]);
  expect((await problemOf(url, { key: "sk-2" }))?.problem).toStartWith("it refuses the key (401)");
});

test("only those headers of a caller are sent that an upstream may need, and never in place of the key", async () => {
  const { url, requests } = serve({
    "GET /v1/models": () => list("a"),
    "POST /v1/messages": () => Response.json({}),
  });
  const upstream = createHttpUpstream({ url, key: "sk-1", models: [], endpoints: ["messages"] });
  await upstream.check(never);
  const headers = {
    "anthropic-version": "2030-01-01",
    "anthropic-beta": "b",
    authorization: "evil",
    cookie: "c",
  };
  await upstream.request("messages", "{}", never, headers);
  const sent = requests.at(-1)?.headers;
  const names = ["anthropic-version", "anthropic-beta", "authorization", "cookie"];
  expect(names.map((name) => sent?.get(name))).toEqual(["2030-01-01", "b", "Bearer sk-1", null]);
});
