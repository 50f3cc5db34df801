import { describe, expect, onTestFinished, test } from "bun:test";
import {
  checkFallbacks,
  configuredFallbacks,
  modelsToTry,
  requestedFallbacks,
  withoutLists,
} from "../../../../src/http/models/names/fallbacks.ts";
import { firefoxAgent } from "../../../support/agents.ts";
import { ADMIN_KEY, startTestServer } from "../../../support/server.ts";
import { connectV2Agent, streamPieces, V2_HELLO } from "../../../support/v2-agent.ts";

/** The names of models, when agents offer these. */
function namesFor(...offered: string[]) {
  const has = (model: string) => offered.includes(model);
  return {
    relay: { offersModel: has, knowsModel: has },
    settings: {
      modelAliases: { fast: "llama" },
      fallbacks: { llama: ["qwen", "gpt"], fast: ["gpt"], tagged: ["qwen"] },
    },
  };
}

describe("the models that may answer a request", () => {
  const names = namesFor("llama", "qwen", "gpt", "phi:latest");

  test("the models to try are the one asked for and its fallbacks in order, each once, by the names that agents know", () => {
    const fallbacks = ["phi", "fast", "qwen", "unknown", "phi:latest", "llama", "gpt"];
    expect(modelsToTry("fast", fallbacks, undefined, names)).toEqual(["llama", "phi:latest", "qwen", "gpt"]);
  });

  test("a model that no agent has ever offered is left out, and so is a fallback that the user may not use", () => {
    expect(modelsToTry("unknown", ["gpt", "qwen"], ["unknown", "qwen"], names)).toEqual(["qwen"]);
    expect(modelsToTry("unknown", ["missing"], undefined, names)).toEqual([]);
  });

  test("there are at most 16 fallbacks", () => {
    const many = Array.from({ length: 40 }, (_, index) => `m${index}`);
    expect(modelsToTry("llama", many, undefined, namesFor("llama", ...many))).toEqual([
      "llama",
      ...many.slice(0, 16),
    ]);
  });

  test("the operator's fallbacks are found by the alias, the model's name, or its name with another tag", () => {
    const configured = (name: string, ...offered: string[]) =>
      configuredFallbacks("chat/completions", name, namesFor(...offered));
    expect(configured("fast")).toEqual(["gpt"]);
    expect(configured("llama")).toEqual(["qwen", "gpt"]);
    expect(configured("tagged:latest")).toEqual(["qwen"]);
    expect(configured("tagged", "tagged:latest")).toEqual(["qwen"]);
    for (const name of ["other", "constructor", "__proto__"]) expect(configured(name)).toEqual([]);
  });

  test("embeddings and counts of tokens have no fallbacks, as another model's are of no use", () => {
    for (const endpoint of ["embeddings", "messages/count_tokens"] as const) {
      expect(configuredFallbacks(endpoint, "llama", names)).toEqual([]);
      expect(requestedFallbacks(endpoint, { models: ["qwen"] })).toEqual([]);
    }
  });

  test("a request names fallbacks in `models` and `fallbacks`, of which only names count", () => {
    const json = { models: ["a", { id: "b" }, 3, "c"], fallbacks: ["d", null] };
    expect(requestedFallbacks("messages", json)).toEqual(["a", "c", "d"]);
    for (const models of ["a", { 0: "a" }, null, 5])
      expect(requestedFallbacks("messages", { models })).toEqual([]);
  });

  test("a list with aliases is not for upstreams if the user may use only some models", () => {
    expect(checkFallbacks({ models: ["llama"] }, ["llama"], names)).toBe(true);
    expect(checkFallbacks({ models: ["fast"] }, ["llama"], names)).toBe(false);
    expect(checkFallbacks({ models: ["anything", 3] }, undefined, names)).toBe(true);
    expect(() => checkFallbacks({ fallbacks: ["fast"] }, ["qwen"], names)).toThrow("You may not use");
  });

  test("a user who may use only some models may send no list that only LiteLLM reads", () => {
    const lists = {
      context_window_fallbacks: [{ llama: ["gpt"] }],
      content_policy_fallbacks: [],
      context_window_fallback_dict: { llama: "gpt" },
    };
    for (const [param, list] of Object.entries(lists)) {
      expect(checkFallbacks({ [param]: list }, undefined, names)).toBe(true);
      expect(checkFallbacks({ [param]: null }, ["llama"], names)).toBe(true);
      expect(() => checkFallbacks({ [param]: list }, ["llama"], names)).toThrow("You may not use");
    }
  });

  test("a body without its lists keeps everything else as it was", () => {
    const text = '{"model": "a", "models":["b"],\n"x":1e2 ,"fallbacks":[]}';
    expect(withoutLists(text, ["models", "fallbacks"])).toBe('{"model": "a", "x":1e2}');
    expect(withoutLists("{ }", [])).toBe("{ }");
  });
});

const ENDPOINTS = ["chat/completions", "completions", "embeddings", "responses", "messages"];

/** A server with an agent that offers the models, and answers with the body that it was sent. */
async function scene(flags: readonly string[] = [], endpoints = ENDPOINTS, allowed?: readonly string[]) {
  const server = await startTestServer(flags);
  const agent = await connectV2Agent(server.url, {
    hello: { ...V2_HELLO, models: [{ id: "qwen" }, { id: "llama" }], endpoints },
    onAsk({ ask, stream, body }, self) {
      const message = { role: "assistant", content: body };
      const choices = [{ index: 0, message, finish_reason: "stop" }];
      if (stream) streamPieces(self, ask, [body]);
      else self.say({ type: "done", ask, status: 200, body: JSON.stringify({ choices, echo: body }) });
    },
  });
  onTestFinished(agent.stop);
  let key = ADMIN_KEY;
  if (allowed) {
    const added = await fetch(`${server.url}/admin/users/add`, {
      method: "POST",
      headers: { authorization: ADMIN_KEY },
      body: JSON.stringify({ models: allowed }),
    });
    key = ((await added.json()) as { token: string }).token;
  }
  const post = async (path: string, body: object) => {
    const init = { method: "POST", headers: { authorization: key }, body: JSON.stringify(body) };
    const response = await fetch(server.url + path, init);
    const text = await response.text();
    const asks = agent.frames.flatMap((frame) => (frame.type === "ask" ? [frame] : []));
    return { status: response.status, text, sent: JSON.parse(asks.at(-1)?.body ?? "{}") };
  };
  return { server, post };
}

const HELLO = [{ role: "user", content: "hi" }];
const SURFACES: [string, object][] = [
  ["/v1/chat/completions", { messages: HELLO }],
  ["/v1/completions", { prompt: "hi" }],
  ["/v1/responses", { input: "hi" }],
  ["/v1/messages", { messages: HELLO, max_tokens: 9 }],
];

describe("a request for a model that no agent has", () => {
  test.each(SURFACES)(
    "%s is answered by the first fallback that one has, which gets no list",
    async (path, body) => {
      const { post } = await scene();
      for (const list of ["models", "fallbacks"]) {
        const { status, sent } = await post(path, {
          model: "gone",
          [list]: ["none", "qwen", "llama"],
          ...body,
        });
        expect([status, sent.model, sent[list]]).toEqual([200, "qwen", undefined]);
      }
    },
  );

  test.each(SURFACES)("%s uses the operator's fallbacks after those of the request", async (path, body) => {
    const { post } = await scene(["--fallback", "gone=none,llama"]);
    expect((await post(path, { model: "gone", ...body })).sent).toMatchObject({ model: "llama" });
    expect((await post(path, { model: "gone", models: ["qwen"], ...body })).sent).toMatchObject({
      model: "qwen",
    });
  });

  test("/api/ask uses the operator's fallbacks", async () => {
    const { post } = await scene(["--fallback", "gone=qwen"]);
    expect((await post("/api/ask", { model: "gone", content: "hi" })).sent).toMatchObject({ model: "qwen" });
    expect((await post("/api/ask", { model: "other", content: "hi" })).status).toBe(404);
  });

  test("a request without a fallback that any agent has is a 404, and one for embeddings always", async () => {
    const { post } = await scene(["--fallback", "gone=qwen"]);
    const chat = { messages: HELLO, models: ["none"] };
    expect((await post("/v1/chat/completions", { model: "other", ...chat })).status).toBe(404);
    expect((await post("/v1/embeddings", { model: "gone", input: "hi", models: ["qwen"] })).status).toBe(404);
  });

  test.each(SURFACES.filter(([path]) => /responses|messages/.test(path)))(
    "a translated answer of %s names the model that answered",
    async (path, body) => {
      const { post } = await scene([], ["chat/completions"]);
      for (const stream of [false, true]) {
        const { text } = await post(path, { model: "gone", models: ["qwen"], stream, ...body });
        expect(text).toContain('"model":"qwen"');
        expect(text).not.toContain('"model":"gone"');
        const asked = await post(path, { model: "qwen", models: ["llama"], stream, ...body });
        expect(asked.text).toContain('"model":"qwen"');
      }
    },
  );

  test("the answer of a v1 agent names the model that answered", async () => {
    const server = await startTestServer(["--fallback", "gone=chatgpt"]);
    const agent = await firefoxAgent(server.url);
    const response = await fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: ADMIN_KEY },
      body: JSON.stringify({ model: "gone", messages: HELLO }),
    });
    expect(await response.json()).toMatchObject({ model: "chatgpt" });
    await agent.stop();
  });
});

describe("the allowed models of a user", () => {
  test("a request whose list has another model is refused, and another one of the operator is left out", async () => {
    const { post } = await scene(["--fallback", "gone=llama,qwen"], ENDPOINTS, ["gone", "qwen"]);
    const chat = { model: "gone", messages: HELLO };
    const refused = await post("/v1/chat/completions", { ...chat, models: ["qwen", "llama"] });
    expect(refused.status).toBe(403);
    expect((await post("/v1/chat/completions", chat)).sent).toMatchObject({ model: "qwen" });
    expect((await post("/api/ask", { model: "gone", content: "hi" })).sent).toMatchObject({ model: "qwen" });
    expect((await post("/v1/chat/completions", { ...chat, model: "other", models: ["qwen"] })).status).toBe(
      403,
    );
  });

  test("an upstream gets a list as it is, but not the aliases of a user who may use only some models", async () => {
    const flags = ["--model-alias", "fast=llama"];
    const chat = { model: "llama", messages: HELLO };
    const limited = await scene(flags, ENDPOINTS, ["llama", "qwen"]);
    const path = "/v1/chat/completions";
    expect((await limited.post(path, { ...chat, models: ["qwen"] })).sent).toEqual({
      ...chat,
      models: ["qwen"],
    });
    expect((await limited.post(path, { ...chat, models: ["fast"] })).sent).toEqual(chat);
    const free = await scene(flags);
    expect((await free.post(path, { ...chat, models: ["fast"] })).sent).toEqual({
      ...chat,
      models: ["fast"],
    });
  });
});

/** The errors of upstreams that do not know a list. */
const REFUSALS: [string, object][] = [
  ["OpenAI", { error: { message: "Unrecognized request argument supplied: models", param: null } }],
  ["Groq", { error: { message: "property 'models' is unsupported", type: "invalid_request_error" } }],
  ["Mistral", { detail: [{ type: "extra_forbidden", loc: ["body", "models"], msg: "Extra inputs" }] }],
  ["Anthropic", { type: "error", error: { message: "models: Extra inputs are not permitted" } }],
];

describe("an upstream that refuses a list of further models", () => {
  test.each(REFUSALS)("%s is asked again without it, on each route that has fallbacks", async (_, error) => {
    const server = await startTestServer();
    const bodies: object[] = [];
    const agent = await connectV2Agent(server.url, {
      hello: { ...V2_HELLO, models: [{ id: "m" }], endpoints: ENDPOINTS },
      onAsk({ ask, body }, self) {
        const json = JSON.parse(body);
        bodies.push(json);
        const isRefused = "models" in json;
        const answer = isRefused ? error : { choices: [{ message: { content: "hi" } }] };
        self.say({ type: "done", ask, status: isRefused ? 400 : 200, body: JSON.stringify(answer) });
      },
    });
    onTestFinished(agent.stop);
    const post = (path: string, body: object) =>
      fetch(server.url + path, {
        method: "POST",
        headers: { authorization: ADMIN_KEY },
        body: JSON.stringify({ model: "m", models: ["n"], ...body }),
      });
    for (const [path, body] of SURFACES) {
      expect((await post(path, body)).status, path).toBe(200);
      const [first, second] = bodies.splice(0);
      expect([first, second]).toEqual([
        { model: "m", models: ["n"], ...body },
        { model: "m", ...body },
      ]);
    }
    expect((await post("/v1/embeddings", { input: "hi" })).status).toBe(400);
  });
});
