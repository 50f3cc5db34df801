import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import Anthropic from "@anthropic-ai/sdk";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { until } from "../../support/until.ts";
import { connectV2Agent, V2_HELLO } from "../../support/v2-agent.ts";

/** Anthropic's clients identify themselves by this header. */
const ANTHROPIC = { "anthropic-version": "2023-06-01" };

test("a model that an alias hides is in the list once, as the model that callers get by that name", async () => {
  const models = ["a", "b", "c", "hidden", "gone"].map((id) => ({ id, owned_by: `owner of ${id}` }));
  const { get } = await startModelScene({ hello: { ...V2_HELLO, models } }, [
    "--model-alias",
    "a=b,b=a,hidden=c,gone=nowhere",
  ]);
  type Model = { id: string; owned_by: string };
  const { data } = (await (await get("models")).json()) as { data: Model[] };
  expect(data.map(({ id, owned_by }) => [id, owned_by])).toEqual([
    ["c", "owner of c"],
    ["a", "owner of b"],
    ["b", "owner of a"],
    ["hidden", "owner of c"],
  ]);
  for (const model of data) expect(await (await get(`models/${model.id}`)).json()).toEqual(model as never);
  expect((await get("models/gone")).status).toBe(404);
});

test("the list of models is the union of all offers, with owners and aliases, and has a route for each name", async () => {
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

test("clients of Anthropic get the models, and an unknown one's error, in Anthropic's shape", async () => {
  const models = [{ id: "b", context_length: 8192 }, { id: "a" }];
  const { server } = await startModelScene({ hello: { ...V2_HELLO, models } });
  const get = (path: string) =>
    fetch(`${server.url}/v1/${path}`, { headers: { ...ANTHROPIC, "x-api-key": ADMIN_KEY } });
  const unknown = { max_tokens: null, capabilities: null, line: null, deprecated_at: null, retires_at: null };
  const shapeOf = (id: string, length: number | null) => ({
    ...{ type: "model", id, display_name: id, lifecycle: "active", max_input_tokens: length, ...unknown },
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
  });
  for (const path of ["models", "models?limit=1&after_id=a"])
    expect(await (await get(path)).json()).toEqual({
      data: [shapeOf("a", null), shapeOf("b", 8192)],
      ...{ has_more: false, first_id: "a", last_id: "b" },
    });
  expect(await (await get("models/b")).json()).toEqual(shapeOf("b", 8192));
  const missing = await get("models/c");
  expect(missing.status).toBe(404);
  expect(await missing.json()).toMatchObject({ type: "error", error: { type: "not_found_error" } });
  const wrong = await fetch(`${server.url}/v1/models`, { headers: { ...ANTHROPIC, "x-api-key": "wrong" } });
  expect(await wrong.json()).toMatchObject({ type: "error", error: { type: "authentication_error" } });
});

test("clients of Anthropic learn the kinds of input, and whether a model thinks, if agents tell", async () => {
  const models = [
    { id: "all", capabilities: ["completion", "tools", "vision", "thinking"] },
    { id: "text", capabilities: ["completion"] },
    { id: "other", capabilities: ["tool_use"] },
  ];
  const { server } = await startModelScene({ hello: { ...V2_HELLO, models } });
  const client = new Anthropic({ baseURL: server.url, apiKey: ADMIN_KEY });
  const known = async (id: string) => {
    const { capabilities } = await client.models.retrieve(id);
    if (!capabilities) return null;
    const { image_input, pdf_input, thinking, effort, structured_outputs } = capabilities;
    return [image_input, thinking, effort.high, structured_outputs, pdf_input].map((one) => one.supported);
  };
  expect(await known("all")).toEqual([true, true, true, true, false]);
  expect(await known("text")).toEqual([false, false, false, true, false]);
  expect(await known("other")).toBeNull();
  const listed = (await client.models.list()).data;
  for (const model of listed) expect(await client.models.retrieve(model.id)).toEqual(model);
});

test("every field of Anthropic's description of a model is there", async () => {
  const { server } = await startModelScene({
    hello: { ...V2_HELLO, models: [{ id: "m", capabilities: ["completion"] }] },
  });
  const model: Anthropic.ModelInfo = await new Anthropic({
    ...{ baseURL: server.url, apiKey: ADMIN_KEY },
  }).models.retrieve("m");
  const declared = readFileSync(
    Bun.resolveSync("@anthropic-ai/sdk/resources/models", import.meta.dir).replace(/\.m?js$/, ".d.ts"),
    "utf8",
  );
  const fieldsOf = (name: string) => {
    const [, body = ""] =
      declared.match(new RegExp(`^export interface ${name} \\{\\n([^]*?)^\\}`, "m")) ?? [];
    return [...body.matchAll(/^ {4}(\w+): /gm)].map(([, field = ""]) => field).toSorted();
  };
  const { capabilities } = model;
  const keys = (value: object | null | undefined) => Object.keys(value ?? {}).toSorted();
  expect(fieldsOf("ModelInfo").length).toBeGreaterThan(8);
  expect(keys(model)).toEqual(fieldsOf("ModelInfo"));
  expect(keys(capabilities)).toEqual(fieldsOf("ModelCapabilities"));
  expect(keys(capabilities?.effort)).toEqual(fieldsOf("EffortCapability"));
  expect(keys(capabilities?.context_management)).toEqual(fieldsOf("ContextManagementCapability"));
  expect(keys(capabilities?.server_tools)).toEqual(fieldsOf("ServerToolsCapability"));
  expect(keys(capabilities?.thinking.types)).toEqual(fieldsOf("ThinkingTypes"));
});

test("the error for a model that does not exist lists those that the caller may use", async () => {
  const models = [{ id: "a" }, { id: "b" }];
  const { server } = await startModelScene({ hello: { ...V2_HELLO, models } });
  const added = await fetch(`${server.url}/admin/users/add`, {
    method: "POST",
    body: JSON.stringify({ admin_key: ADMIN_KEY, models: ["b"] }),
  });
  const { token } = (await added.json()) as { token: string };
  const messageFor = async (key: string) => {
    const headers = { authorization: `Bearer ${key}` };
    const response = await fetch(`${server.url}/v1/models/a.b`, { headers });
    expect(response.status).toBe(404);
    return ((await response.json()) as { error: { message: string } }).error.message;
  };
  expect(await messageFor(ADMIN_KEY)).toBe("The model does not exist. Available models: a, b.");
  expect(await messageFor(token)).toBe("The model does not exist. Available models: b.");
});

test("an empty list in Anthropic's shape has no first and no last id", async () => {
  const { server } = await startModelScene({ hello: { ...V2_HELLO, models: [] } });
  const headers = { ...ANTHROPIC, "x-api-key": ADMIN_KEY };
  const list = await (await fetch(`${server.url}/v1/models`, { headers })).json();
  expect(list).toEqual({ data: [], has_more: false, first_id: null, last_id: null });
});

test("a model has the least context length that its agents report, under the names that clients read", async () => {
  const { server, get } = await startModelScene(
    {
      hello: { ...V2_HELLO, models: [{ id: "m", context_length: 32_768 }, { id: "silent" }] },
    },
    ["--model-alias", "alias=m"],
  );
  const named = async (id: string) => (await (await get(`models/${id}`)).json()) as object;
  const lengths = (length: number) => ({
    ...{ context_length: length, context_window: length, max_model_len: length },
  });
  expect(await named("m")).toMatchObject(lengths(32_768));
  expect(Object.keys(await named("silent"))).toEqual(["id", "object", "created", "owned_by"]);
  for (const models of [[{ id: "m", context_length: 4_096 }], [{ id: "m" }]])
    await connectV2Agent(server.url, { hello: { ...V2_HELLO, models } });
  expect(await named("m")).toMatchObject(lengths(4_096));
  expect(await named("alias")).toMatchObject({ id: "alias", ...lengths(4_096) });
});

test("a model is loaded if one of its agents has it in memory, and without the field if none tells", async () => {
  const { server, get } = await startModelScene(
    {
      hello: {
        ...V2_HELLO,
        models: [{ id: "m", loaded: false }, { id: "cold", loaded: false }, { id: "silent" }],
      },
    },
    ["--model-alias", "alias=m"],
  );
  const loaded = async () => {
    const { data } = (await (await get("models")).json()) as { data: { id: string; loaded?: boolean }[] };
    return Object.fromEntries(data.map(({ id, ...model }) => [id, model.loaded]));
  };
  expect(await loaded()).toEqual({ m: false, cold: false, silent: undefined, alias: false });
  const other = await connectV2Agent(server.url, { hello: { ...V2_HELLO, models: [{ id: "m" }] } });
  other.say({ type: "update", models: [{ id: "m", loaded: true }] });
  await until(async () => (await loaded())["m"] === true);
  expect(await loaded()).toEqual({ m: true, cold: false, silent: undefined, alias: true });
});

test("a user limited to agents with a tag sees only what these offer", async () => {
  const { server } = await startModelScene({ hello: { ...V2_HELLO, models: [{ id: "m" }], tags: ["home"] } });
  const call = (path: string, key: string, body?: object) =>
    fetch(`${server.url}${path}`, {
      headers: { authorization: `Bearer ${key}` },
      ...(body && { method: "POST", body: JSON.stringify(body) }),
    });
  const seenWith = async (agent_tags: string[]) => {
    const { token } = (await (await call("/admin/users/add", ADMIN_KEY, { agent_tags })).json()) as {
      token: string;
    };
    const { data } = (await (await call("/v1/models", token)).json()) as { data: { id: string }[] };
    return data.map(({ id }) => id);
  };
  expect([await seenWith(["home"]), await seenWith(["office"])]).toEqual([["m"], []]);
});
