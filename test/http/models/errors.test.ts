import { describe, expect, test } from "bun:test";
import { startModelScene } from "../../support/model-scene.ts";
import { V2_HELLO } from "../../support/v2-agent.ts";

const CHAT = "chat/completions";

describe("errors", () => {
  test.each([
    ["no JSON", "{", 400, "invalid_request_error", null],
    ["no model", "{}", 400, "invalid_request_error", null],
    ["a stream that is no boolean", '{"model":"m","stream":"yes"}', 400, "invalid_request_error", null],
    ["a model nobody has", '{"model":"huge"}', 404, "invalid_request_error", "model_not_found"],
  ])("%s is told in the OpenAI shape", async (_, body, status, type, code) => {
    const { post } = await startModelScene();
    const response = await post(CHAT, body);
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as { error: object };
    expect(error).toMatchObject({ type, code, message: expect.any(String) });
    expect(error).toHaveProperty("request_id", response.headers.get("x-request-id"));
  });

  test("an unknown model says which there are", async () => {
    const { post } = await startModelScene({ hello: { ...V2_HELLO, models: [{ id: "a" }, { id: "b" }] } });
    expect(await (await post(CHAT, { model: "huge" })).text()).toContain("There are a, b.");
  });

  test("an endpoint that nobody has for the model is a clear 404, not a wait", async () => {
    const { post } = await startModelScene();
    const response = await post("embeddings", { model: "m", input: "x" });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      error: { param: "model", message: expect.stringContaining("/v1/embeddings") },
    });
  });

  test("a model whose agents have all left is a 503 that may pass, with Retry-After", async () => {
    const { post, agent, server } = await startModelScene({}, ["--reconnect-grace", "0s"]);
    agent.stop();
    await agent.ended;
    while (!server.logged().includes("agent_left")) await Bun.sleep(5);
    const response = await post(CHAT, { model: "m", messages: [] });
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "10"]);
    expect(await response.json()).toMatchObject({
      error: { type: "server_error", code: "no_agent_available" },
    });
  });

  test("each surface tells of a missing key, an unknown path and a wrong method in its own words", async () => {
    const { server } = await startModelScene();
    const body = async (path: string, init: RequestInit = {}) => {
      const response = await fetch(`${server.url}${path}`, init);
      return [response.status, await response.json()] as const;
    };
    const post = { method: "POST", body: "{}" };
    expect(await body("/v1/chat/completions", post)).toMatchObject([
      401,
      { error: { code: "invalid_api_key" } },
    ]);
    expect(await body("/v1/messages", post)).toMatchObject([
      401,
      { type: "error", error: { type: "authentication_error" } },
    ]);
    expect(await body("/v1/nothing")).toMatchObject([404, { error: { type: "invalid_request_error" } }]);
    expect(await body("/v1/chat/completions")).toMatchObject([
      405,
      { error: { code: "method_not_allowed" } },
    ]);
    expect(await body("/v1/models")).toMatchObject([401, { error: { code: "invalid_api_key" } }]);
  });
});

describe("models", () => {
  test("are the union of what is offered, with owner and aliases, and each by its name", async () => {
    const models = [{ id: "z" }, { id: "org/a:7b", owned_by: "org" }];
    const { get } = await startModelScene({ hello: { ...V2_HELLO, models } }, [
      "--model-alias",
      "alias=z,lost=nothing",
    ]);
    const list = (await (await get("models")).json()) as {
      object: string;
      data: { id: string; created: number }[];
    };
    expect(list.object).toBe("list");
    expect(list.data.map(({ id }) => id)).toEqual(["org/a:7b", "z", "alias"]);
    expect(list.data[0]).toEqual({
      id: "org/a:7b",
      object: "model",
      created: expect.any(Number),
      owned_by: "org",
    } as never);
    for (const model of list.data) expect(await (await get(`models/${model.id}`)).json()).toEqual(model);
    expect(await (await get("models/org%2Fa%3A7b")).json()).toMatchObject({ id: "org/a:7b" });
    expect((await get("models/unknown")).status).toBe(404);
  });
});
