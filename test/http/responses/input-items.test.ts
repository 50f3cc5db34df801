import { expect, test } from "bun:test";
import OpenAI from "openai";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { V2_HELLO } from "../../support/v2-agent.ts";

type Json = Record<string, unknown>;

const image = { type: "input_image", image_url: "data:image/png;base64,AA==", detail: "auto" };
const INPUT = [
  { role: "user", content: "first" },
  { type: "message", id: "msg_2", role: "user", content: [{ type: "input_text", text: "second" }, image] },
  { type: "reasoning", id: "rs_3", summary: [], encrypted_content: "sealed" },
  {
    type: "message",
    id: "msg_4",
    role: "assistant",
    content: [{ type: "output_text", text: "x", logprobs: [1] }],
  },
  { type: "code_interpreter_call", id: "ci_5", code: "1", container_id: "c", outputs: [{ type: "logs" }] },
  {
    type: "computer_call_output",
    id: "cu_6",
    call_id: "c",
    output: { type: "computer_screenshot", image_url: "u" },
  },
  { type: "file_search_call", id: "fs_7", queries: [], results: [{ text: "found" }] },
  { type: "web_search_call", id: "ws_8", action: { type: "search", query: "q", sources: [{ url: "u" }] } },
];

const NATIVE = { ...V2_HELLO, endpoints: ["responses"] };

async function scene() {
  const { server, post, get } = await startModelScene({
    hello: NATIVE,
    onAsk: ({ ask }, agent) => {
      const response = { id: "resp_x", object: "response", status: "completed", output: [] };
      agent.say({ type: "accept", ask });
      agent.say({ type: "done", ask, status: 200, body: JSON.stringify(response) });
    },
  });
  await post("responses", { model: "m", input: INPUT });
  const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: ADMIN_KEY, maxRetries: 0 });
  return { openai, post, get, path: "responses/resp_x/input_items" };
}

test("the official package lists the items of a request in pages, in both orders", async () => {
  const { openai, get, path } = await scene();
  for (const order of ["asc", "desc"] as const) {
    const ids: string[] = [];
    for await (const { id } of openai.responses.inputItems.list("resp_x", { limit: 3, order }))
      ids.push(String(id));
    const wanted = ["item_x_0", ...INPUT.slice(1).map(({ id }) => String(id))];
    expect(ids).toEqual(order === "asc" ? wanted : wanted.reverse());
  }
  const page = (await (await get(`${path}?limit=3&after=ws_8`)).json()) as Json;
  expect(page).toMatchObject({ object: "list", first_id: "fs_7", last_id: "ci_5", has_more: true });
  const last = (await (await get(`${path}?limit=100&order=asc&after=fs_7`)).json()) as Json;
  expect(last).toMatchObject({ first_id: "ws_8", last_id: "ws_8", has_more: false });
  const none = (await (await get(`${path}?order=asc&after=ws_8`)).json()) as Json;
  expect(none).toMatchObject({ data: [], first_id: null, last_id: null, has_more: false });
});

test("long fields of items are left out unless `include` names them", async () => {
  const { openai } = await scene();
  const fieldsOf = async (include: string[]) => {
    const { data } = await openai.responses.inputItems.list("resp_x", { include, order: "asc" } as never);
    return (data as unknown as Json[]).map(
      ({ content, encrypted_content, outputs, output, results, action }) => ({
        ...{ content, encrypted_content, outputs, output, results, action },
      }),
    );
  };
  const all = [
    ...["message.input_image.image_url", "reasoning.encrypted_content", "message.output_text.logprobs"],
    ...["code_interpreter_call.outputs", "computer_call_output.output.image_url", "file_search_call.results"],
    ...["web_search_call.action.sources", "web_search_call.results"],
  ];
  const [, message, reasoning, answer, code, computer, files, search] = await fieldsOf([]);
  expect(message?.content).toMatchObject([{ text: "second" }, { image_url: null, detail: "auto" }]);
  expect(reasoning?.encrypted_content).toBeNull();
  expect(answer?.content).toEqual([{ type: "output_text", text: "x", logprobs: [] }]);
  expect([code?.outputs, files?.results]).toEqual([null, null]);
  expect(computer?.output).toEqual({ type: "computer_screenshot" });
  expect(search?.action).toEqual({ type: "search", query: "q" });
  const fields = INPUT.slice(1).map(
    ({ content, encrypted_content, outputs, output, results, action }: Json) => ({
      ...{ content, encrypted_content, outputs, output, results, action },
    }),
  );
  expect((await fieldsOf(all)).slice(1)).toEqual(fields);
  const [, , sealed] = await fieldsOf(["reasoning.encrypted_content"]);
  expect(sealed?.encrypted_content).toBe("sealed");
});

test.each([
  "limit=0",
  "limit=101",
  "limit=x",
  "limit=1.5",
  "order=up",
  "include[]=secrets",
  "include=",
  "after=none",
])("the query %s is a 400 that names the parameter", async (query) => {
  const { get, path } = await scene();
  const response = await get(`${path}?${query}`);
  const [param] = query.split(/\[|=/);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { param: expect.stringContaining(String(param)) } });
});

test("the items of a conversation are listed without the fields that `include` does not name", async () => {
  const { post, get } = await scene();
  const { id } = (await (await post("conversations", { items: INPUT.slice(2, 3) })).json()) as Json;
  const at = `conversations/${id}/items`;
  const read = async (path: string) => (await (await get(path)).json()) as Json;
  expect(await read(at)).toMatchObject({ data: [{ id: "rs_3", encrypted_content: null }] });
  expect(await read(`${at}/rs_3`)).toMatchObject({ encrypted_content: null });
  const include = "include[]=reasoning.encrypted_content&include[]=file_search_call.results";
  expect(await read(`${at}?${include}`)).toMatchObject({ data: [{ encrypted_content: "sealed" }] });
  expect(await read(`${at}/rs_3?${include}`)).toMatchObject({ encrypted_content: "sealed" });
});

test("items with the same id get others, so that reading them in pages ends", async () => {
  const { openai, post } = await scene();
  const items = ["a", "b", "c"].map((content) => ({ role: "user" as const, content, id: "msg_1" }));
  await post("responses", { model: "m", input: items });
  const { id } = await openai.conversations.create({ items: items.slice(0, 2) });
  await openai.conversations.items.create(id, { items: items.slice(2) });
  const order = "asc";
  for (const list of [
    openai.responses.inputItems.list("resp_x", { limit: 1, order }),
    openai.conversations.items.list(id, { limit: 1, order }),
  ]) {
    const found: Json[] = [];
    for await (const item of list) if (found.push({ ...item }) > items.length) break;
    expect(found.map(({ content }) => (content as Json[])[0]?.["text"])).toEqual(["a", "b", "c"]);
    expect(found[0]?.["id"]).toBe("msg_1");
    expect(new Set(found.map(({ id }) => id)).size).toBe(items.length);
  }
});
