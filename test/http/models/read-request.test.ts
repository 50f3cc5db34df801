import { expect, test } from "bun:test";
import { startModelScene } from "../../support/model-scene.ts";
import { until } from "../../support/until.ts";
import { V2_HELLO } from "../../support/v2-agent.ts";

const CHAT = "chat/completions";

test.each([
  ["a body that is not JSON", "{", 400, "invalid_request_error", null],
  ["no model", "{}", 400, "invalid_request_error", null],
  ["a `stream` that is not a boolean", '{"model":"m","stream":"yes"}', 400, "invalid_request_error", null],
  ["a model that no agent has", '{"model":"huge"}', 404, "invalid_request_error", "model_not_found"],
])("a request with %s is refused in the OpenAI style", async (_, body, status, type, code) => {
  const { post } = await startModelScene();
  const response = await post(CHAT, body);
  expect(response.status).toBe(status);
  const { error } = (await response.json()) as { error: object };
  expect(error).toMatchObject({ type, code, message: expect.any(String) });
  expect(error).toHaveProperty("request_id", response.headers.get("x-request-id"));
});

test("the error for an unknown model names it, and the models that are available", async () => {
  const { post } = await startModelScene({ hello: { ...V2_HELLO, models: [{ id: "a" }, { id: "b" }] } });
  const message = async (model: string) =>
    ((await (await post(CHAT, { model })).json()) as { error: { message: string } }).error.message;
  expect(await message("huge")).toBe("The model `huge` does not exist. Available models: a, b.");
  for (const name of ["<b>", "a b", "x".repeat(101), "line\nbreak", "`"])
    expect(await message(name), name).toBe("The model does not exist. Available models: a, b.");
});

test("an endpoint that no agent of the model has is a 404 at once, not a wait", async () => {
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
  await until(() => server.logged().includes("agent_left"));
  const response = await post(CHAT, { model: "m", messages: [] });
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "10"]);
  expect(await response.json()).toMatchObject({
    error: { type: "server_error", code: "no_agent_available" },
  });
});

test("each error style has its own shape for a missing key, an unknown path and a wrong method", async () => {
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
  expect(await body("/v1/chat/completions")).toMatchObject([405, { error: { code: "method_not_allowed" } }]);
  expect(await body("/v1/models")).toMatchObject([401, { error: { code: "invalid_api_key" } }]);
});
