import { describe, expect, test } from "bun:test";
import { generateText } from "ai";
import { NotFoundError } from "openai";
import { shareModelApi } from "../support/model-api.ts";
import { anthropicAt, collect, compatibleAt, openaiAt, rejectionOf } from "../support/sdks.ts";
import { json, shareRecordingUpstream } from "../support/upstream/recording-upstream.ts";

const small = shareRecordingUpstream(["org/family/small:7b-q4_K_M", "both"]);
const large = shareRecordingUpstream(["large", "both"]);
const api = shareModelApi({
  agents: () => [
    ["--upstream", small().url],
    ["--upstream", large().url],
  ],
  flags: [
    "--model-alias",
    "gpt-4o=org/family/small:7b-q4_K_M,lost=nobody-has-it",
    "--model-alias",
    "openai/gpt=large",
  ],
});
const client = () => openaiAt(api());
const messages = [{ role: "user" as const, content: "Hello" }];
const answer = () =>
  json(
    '{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}',
  );

describe("the models", () => {
  const ALL = ["both", "gpt-4o", "large", "openai/gpt", "org/family/small:7b-q4_K_M"];

  test("the list of models has those of all agents, each once, and the aliases of them", async () => {
    const models = await collect(await client().models.list());
    expect(models.map(({ id }) => id).toSorted()).toEqual(ALL);
    for (const model of models) {
      expect(model).toMatchObject({
        object: "model",
        created: expect.any(Number),
        owned_by: expect.any(String),
      });
      expect(await client().models.retrieve(model.id)).toMatchObject({ ...model });
    }
  });

  test("the anthropic package lists and retrieves the same models", async () => {
    const { models } = anthropicAt(api());
    const list = await collect(await models.list({ limit: 2 }));
    expect(list.map(({ id }) => id).toSorted()).toEqual(ALL);
    for (const model of list) {
      const date = Date.parse(model.created_at);
      expect(model).toMatchObject({ type: "model", display_name: model.id, max_input_tokens: null });
      expect(date).toBeGreaterThan(0);
      expect(await models.retrieve(model.id)).toMatchObject({ ...model });
    }
    expect(await rejectionOf(models.retrieve("unknown"))).toMatchObject({
      status: 404,
      type: "not_found_error",
    });
  });

  test("a request for a model reaches an agent that has it, by any of its names", async () => {
    for (const upstream of [small(), large()]) upstream.answer(answer);
    for (const model of ALL) {
      const { choices } = await client().chat.completions.create({ model, messages });
      expect(choices[0]?.message.content, model).toBe("Hi");
    }
    const asked = [small(), large()].map(({ requests }) =>
      requests.map(({ body }) => JSON.parse(body).model),
    );
    const own = asked.map((names) => names.filter((name) => name !== "both"));
    const name = "org/family/small:7b-q4_K_M";
    expect(own).toEqual([
      [name, name],
      ["large", "large"],
    ]);
    expect(asked.flat()).toHaveLength(ALL.length);
  });

  test("the AI SDK, too, may use a model's name with slashes and colons", async () => {
    small().answer(answer);
    const model = compatibleAt(api())("org/family/small:7b-q4_K_M");
    expect((await generateText({ model, prompt: "Hello" })).text).toBe("Hi");
  });

  test("a model that no agent has is a 404 that lists the available models, on every route and by every name", async () => {
    for (const model of ["unknown", "lost", "nobody-has-it", "org", "LARGE"]) {
      for (const path of ["chat/completions", "responses", "completions", "embeddings"]) {
        const thrown = await rejectionOf(
          client().post(`/${path}`, { body: { model, messages, input: "?" } }),
        );
        expect(thrown).toBeInstanceOf(NotFoundError);
        expect(thrown).toMatchObject({ code: "model_not_found", param: "model" });
        for (const id of ["both", "large", "org/family/small:7b-q4_K_M"])
          expect((thrown as Error).message, `${path} ${model}`).toContain(id);
      }
      expect(await rejectionOf(client().models.retrieve(model))).toBeInstanceOf(NotFoundError);
    }
  });
});
