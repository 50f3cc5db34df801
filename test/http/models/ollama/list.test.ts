import { expect, test } from "bun:test";
import { startModelScene } from "../../../support/model-scene.ts";
import { ADMIN_KEY } from "../../../support/server.ts";
import { V2_HELLO } from "../../../support/v2-agent.ts";

const KNOWN = {
  size: 7,
  family: "llama",
  parameter_size: "3B",
  quantization: "Q4",
  capabilities: ["completion"],
};
const MODELS = [
  { id: "known", context_length: 8192, loaded: true, ...KNOWN },
  { id: "plain", loaded: false },
];

async function startScene(endpoints = ["chat/completions"]) {
  const { server, agent } = await startModelScene({ hello: { ...V2_HELLO, models: MODELS, endpoints } }, [
    ...["--model-alias", "fast=plain"],
  ]);
  const added = await fetch(`${server.url}/admin/users/add`, {
    method: "POST",
    body: JSON.stringify({ admin_key: ADMIN_KEY, models: ["plain"] }),
  });
  const { token } = (await added.json()) as { token: string };
  const send = async (path: string, body?: object, key = ADMIN_KEY) => {
    const init = body && { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${key}` }, ...init });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { send, token, agent };
}

const namesIn = ({ body }: { body: Record<string, unknown> }) =>
  (body["models"] as { name: string }[]).map(({ name }) => name);

test("the lists have the models that the caller may use, with their aliases", async () => {
  const { send, token } = await startScene();
  expect(namesIn(await send("/api/tags"))).toEqual(["known", "plain", "fast"]);
  expect(namesIn(await send("/api/tags", undefined, token))).toEqual(["plain", "fast"]);
  expect(namesIn(await send("/api/ps"))).toEqual(["known"]);
  expect(namesIn(await send("/api/ps", undefined, token))).toEqual([]);
});

test("a model is shown with what agents report, and otherwise as one that chats with tools", async () => {
  const { send } = await startScene();
  expect((await send("/api/show", { model: "known" })).body).toMatchObject({
    details: { family: "llama", families: ["llama"], parameter_size: "3B", quantization_level: "Q4" },
    model_info: {
      "general.architecture": "llama",
      "general.basename": "known",
      "llama.context_length": 8192,
    },
    capabilities: ["completion"],
  });
  for (const name of ["plain", "fast", "fast:latest"])
    expect((await send("/api/show", { name })).body["capabilities"]).toEqual(["completion", "tools"]);
});

test("a model that no agent chats with is one for embeddings", async () => {
  const { send } = await startScene(["embeddings"]);
  expect((await send("/api/show", { model: "plain" })).body["capabilities"]).toEqual(["embedding"]);
});

test("a model that a caller may not use is neither shown nor loaded nor pulled", async () => {
  const { send, token } = await startScene();
  const refused = [
    ["/api/show", { model: "known" }, 404],
    ["/api/chat", { model: "known", messages: [] }, 403],
    ["/api/generate", { model: "known" }, 403],
    ["/api/embed", { model: "known", input: [] }, 403],
    ["/api/pull", { model: "known" }, 403],
  ] as const;
  for (const [path, body, status] of refused) {
    expect([path, (await send(path, body, token)).status]).toEqual([path, status]);
    const allowed = await send(path, { ...body, model: "plain", stream: false }, token);
    expect([path, allowed.status]).toEqual([path, 200]);
  }
});

test("the list of OpenAI's style has the capabilities too", async () => {
  const { send } = await startScene();
  expect((await send("/v1/models/known")).body["capabilities"]).toEqual(["completion"]);
  expect((await send("/v1/models/plain")).body).not.toHaveProperty("capabilities");
});
