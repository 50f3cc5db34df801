import { describe, expect, test } from "bun:test";
import { type ReadEvent, readEvents, sequenceOf } from "../../support/event-reader.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { until } from "../../support/until.ts";
import { type AskFrame, V2_HELLO, type V2Agent } from "../../support/v2-agent.ts";

type Json = Record<string, unknown>;

const NATIVE = { ...V2_HELLO, endpoints: ["responses"] };
const jsonOf = async (response: Response | Promise<Response>) => (await (await response).json()) as Json;

/** A delta that looks like a response, with white space of its own. */
const DELTA = `{ "type":"response.output_text.delta","sequence_number":2, "delta":"\\"store\\": false", "response":{"store":false,"previous_response_id":null}}`;

/** An upstream with responses of its own that knows nothing of earlier ones. `answers` is how it answers requests to stream. */
function native(upstream: { store?: boolean | undefined; named?: boolean; streams?: boolean } = {}) {
  const { named = true, streams = true } = upstream;
  const bodies: Json[] = [];
  const onAsk = ({ ask, body, stream }: AskFrame, agent: V2Agent) => {
    const request = JSON.parse(body) as Json;
    bodies.push(request);
    agent.say({ type: "accept", ask });
    const store = "store" in upstream ? upstream.store : false;
    const id = `resp_${bodies.length}`;
    const output = [{ type: "message", id: `msg_${id}`, role: "assistant", content: "x" }];
    const response = (status: string) =>
      `{ "id": "${id}", "object":"response", "n": 1.50, "metadata": {"store": false}, "status":"${status}", "store": ${store}, "previous_response_id": null, "conversation":null, "output":${JSON.stringify(output)}}`;
    if (!stream || !streams)
      return agent.say({ type: "done", ask, status: 200, body: response("completed") });
    const say = (event: string, data: string) =>
      agent.say({ type: "delta", ask, data, ...(named && { event }) });
    const state = (type: string, number: number, status: string) =>
      say(type, `{"type":"${type}", "sequence_number":${number},"response":${response(status)} }`);
    state("response.created", 0, "in_progress");
    state("response.in_progress", 1, "in_progress");
    say("response.output_text.delta", DELTA);
    state("response.completed", 3, "completed");
    agent.say({ type: "done", ask, status: 200 });
  };
  return { bodies, onAsk };
}

const responsesIn = (events: readonly ReadEvent[]): Json[] =>
  events
    .map(({ data }) => JSON.parse(data))
    .filter(({ type }) => !type.includes("delta"))
    .map(({ response }) => response);

describe("a native response whose request was expanded", () => {
  test.each([{}, { named: false }, { streams: false }])(
    "names the response that its caller continues, in all events, when it is read, and when its stream is resumed (%j)",
    async (upstream) => {
      const { bodies, onAsk } = native(upstream);
      const { post, get } = await startModelScene({ hello: NATIVE, onAsk });
      const { id: previous } = await jsonOf(post("responses", { model: "m", input: "q" }));
      const body = { model: "m", input: "q2", previous_response_id: previous, stream: true };
      const events = await readEvents(await post("responses", body));
      expect(bodies[1]).not.toHaveProperty("previous_response_id");
      const meant = { previous_response_id: previous, store: true };
      expect(responsesIn(events).length).toBeGreaterThan(2);
      for (const response of responsesIn(events)) if (response) expect(response).toMatchObject(meant);
      const id = String(responsesIn(events).at(-1)?.["id"]);
      expect(await jsonOf(get(`responses/${id}`))).toEqual(responsesIn(events).at(-1) as Json);
      for (const [at, event] of events.entries()) {
        const rest = await get(`responses/${id}?stream=true&starting_after=${sequenceOf(event)}`);
        expect(await readEvents(rest)).toEqual(events.slice(at + 1));
      }
      // Its upstream keeps nothing, so the next one is expanded, too.
      await jsonOf(post("responses", { model: "m", input: "q3", previous_response_id: id }));
      expect(bodies[2]?.["input"]).toHaveLength(5);
    },
  );

  test("names it in an answer that is not streamed, and keeps every other byte", async () => {
    const { onAsk } = native();
    const { post, get } = await startModelScene({ hello: NATIVE, onAsk });
    const first = await (await post("responses", { model: "m", input: "q" })).text();
    const body = { model: "m", input: "q2", previous_response_id: "resp_1" };
    const text = await (await post("responses", body)).text();
    const changed = first
      .replaceAll("resp_1", "resp_2")
      .replace('"previous_response_id": null', '"previous_response_id": "resp_1"');
    expect(text).toBe(changed);
    expect(await jsonOf(get("responses/resp_2"))).toEqual(JSON.parse(text));
  });

  test("names the conversation", async () => {
    const { bodies, onAsk } = native();
    const { post } = await startModelScene({ hello: NATIVE, onAsk });
    const { id } = await jsonOf(post("conversations", {}));
    const body = { model: "m", input: "q", conversation: id };
    const meant = { conversation: { id }, store: true, previous_response_id: null };
    expect(await jsonOf(post("responses", body))).toMatchObject(meant);
    const events = await readEvents(await post("responses", { ...body, stream: true }));
    for (const response of responsesIn(events)) expect(response).toMatchObject(meant);
    expect(bodies[1]?.["input"]).toHaveLength(3);
  });

  test.each([true, false])(
    "a response is not stored if its caller said so, even if its upstream says %p",
    async (store) => {
      const { onAsk } = native({ store });
      const { post, get } = await startModelScene({ hello: NATIVE, onAsk });
      await jsonOf(post("responses", { model: "m", input: "q" }));
      const meant = { previous_response_id: "resp_1", store: false };
      expect(await jsonOf(post("responses", { model: "m", input: "q2", ...meant }))).toMatchObject(meant);
      expect((await get("responses/resp_2")).status).toBe(404);
    },
  );

  test("a stream has all other events as its upstream has sent them", async () => {
    const { onAsk } = native();
    const { post } = await startModelScene({ hello: NATIVE, onAsk });
    await jsonOf(post("responses", { model: "m", input: "q" }));
    const body = { model: "m", input: "q2", previous_response_id: "resp_1", stream: true };
    const events = await readEvents(await post("responses", body));
    expect(events[2]?.data).toBe(DELTA);
  });
});

describe("a native response whose request refers to nothing", () => {
  test("a response is stored for its caller although its upstream keeps nothing", async () => {
    const { onAsk } = native();
    const { post, get } = await startModelScene({ hello: NATIVE, onAsk });
    const body = { model: "m", input: "q" };
    expect(await jsonOf(post("responses", body))).toMatchObject({ store: true });
    const events = await readEvents(await post("responses", { ...body, stream: true }));
    for (const response of responsesIn(events)) expect(response).toMatchObject({ store: true });
    expect(await jsonOf(get("responses/resp_2"))).toMatchObject({ store: true });
    expect(await jsonOf(post("responses", { ...body, store: false }))).toMatchObject({ store: false });
  });

  test("a response is passed on as it is where nothing is kept", async () => {
    const { onAsk } = native();
    const { post } = await startModelScene({ hello: NATIVE, onAsk }, ["--response-memory", "0"]);
    expect(await jsonOf(post("responses", { model: "m", input: "q" }))).toMatchObject({ store: false });
  });
});

test("a request with a conversation of the server is expanded, also if it refers to what an upstream keeps", async () => {
  const { bodies, onAsk } = native({ store: true });
  const { post } = await startModelScene({ hello: NATIVE, onAsk });
  const { id } = await jsonOf(post("conversations", { items: [{ role: "user", content: "before" }] }));
  await jsonOf(post("responses", { model: "m", input: "q" }));
  const input = [{ type: "item_reference", id: "msg_resp_1" }];
  await jsonOf(post("responses", { model: "m", input, conversation: id }));
  await until(() => bodies.length === 2);
  expect(bodies[1]).not.toHaveProperty("conversation");
  expect(bodies[1]?.["input"]).toMatchObject([{ content: "before" }, { role: "assistant", content: "x" }]);
});
