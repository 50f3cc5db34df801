import { expect, test } from "bun:test";
import { codexModels } from "../../../../src/http/models/lists/codex.ts";
import { startModelScene } from "../../../support/model-scene.ts";
import { ADMIN_KEY } from "../../../support/server.ts";
import { V2_HELLO } from "../../../support/v2-agent.ts";

/** The fields without which Codex 0.171 refuses the whole list. */
const REQUIRED = [
  ...[
    "slug",
    "display_name",
    "supported_reasoning_levels",
    "shell_type",
    "visibility",
    "supported_in_api",
    "priority",
  ],
  ...["support_verbosity", "truncation_policy", "experimental_supported_tools", "base_instructions"],
];

test("Codex gets the models and aliases in its shape, in order, with what agents report", async () => {
  const models = [
    { id: "eyes", context_length: 32_768, capabilities: ["completion", "vision", "thinking", "audio"] },
    { id: "plain", capabilities: ["completion", "tools"] },
    { id: "silent" },
    { id: "gpt-6", owned_by: "openai" },
  ];
  const { get, server } = await startModelScene({ hello: { ...V2_HELLO, models } }, [
    "--model-alias",
    "mine=eyes",
  ]);
  const list = (await (await get("models?client_version=0.171.0")).json()) as {
    models: Record<string, unknown>[];
  };
  expect(Object.keys(list)).toEqual(["models"]);
  expect(list.models.map(({ slug, priority }) => [slug, priority])).toEqual([
    ["eyes", 0],
    ["plain", 1],
    ["silent", 2],
    ["mine", 3],
  ]);
  const [eyes, plain, silent, mine] = list.models;
  for (const name of REQUIRED) expect(silent).toHaveProperty(name);
  expect(eyes).toMatchObject({ context_window: 32_768, input_modalities: ["text", "image"] });
  expect(eyes).toMatchObject({ default_reasoning_level: "medium", display_name: "eyes" });
  expect(mine).toEqual({ ...eyes, slug: "mine", display_name: "mine", priority: 3 });
  expect(plain).toMatchObject({ input_modalities: ["text"], supported_reasoning_levels: [] });
  for (const name of ["context_window", "input_modalities", "default_reasoning_level"])
    expect(silent).not.toHaveProperty(name);
  const wrong = await fetch(`${server.url}/v1/models?client_version=1`, { headers: { "x-api-key": "no" } });
  expect(wrong.status).toBe(401);
  const own = await fetch(`${server.url}/models?client_version=1`, { headers: { "x-api-key": ADMIN_KEY } });
  expect(await own.json()).toEqual(list);
});

test("other clients get the kinds of input of a model, if agents tell what it can do", async () => {
  const models = [
    { id: "all", capabilities: ["completion", "vision", "audio"] },
    { id: "other", capabilities: ["streaming"] },
    { id: "text", capabilities: ["completion"] },
  ];
  const { get } = await startModelScene({ hello: { ...V2_HELLO, models } });
  const { data } = (await (await get("models")).json()) as { data: { id: string; architecture?: object }[] };
  expect(data.map(({ id, architecture }) => [id, architecture])).toEqual([
    ["all", { input_modalities: ["text", "image", "audio"] }],
    ["other", undefined],
    ["text", { input_modalities: ["text"] }],
  ]);
});

test("the list for Codex of a server with a thousand models has less than 5 MB", () => {
  const models = Array.from({ length: 1000 }, (_, at) => ({
    id: `model-${at}`,
    owned_by: undefined,
    offeredAt: 0,
  }));
  expect(JSON.stringify(codexModels(models)).length).toBeLessThan(5_000_000);
});
