import { describe, expect, test } from "bun:test";
import { readEvents } from "../../support/event-reader.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { addLimitedUser, callerOf } from "../../support/user-caller.ts";
import { type AskFrame, connectV2Agent, V2_HELLO, type V2Agent } from "../../support/v2-agent.ts";

type Json = Record<string, unknown>;
const NATIVE = { ...V2_HELLO, endpoints: ["responses"] };

/** Answers with a response of its own, which the upstream says to keep. */
function storing(name: string, refuses: () => boolean = () => false) {
  const bodies: Json[] = [];
  const onAsk = ({ ask, body }: AskFrame, agent: V2Agent) => {
    bodies.push(JSON.parse(body));
    agent.say({ type: "accept", ask });
    const error = { message: "Previous response not found", code: "previous_response_not_found" };
    if (refuses()) return agent.say({ type: "done", ask, status: 400, body: JSON.stringify({ error }) });
    const id = `resp_${name}_${bodies.length}`;
    const message = {
      type: "message",
      id: `msg_${id}`,
      role: "assistant",
      content: [{ type: "output_text", text: name }],
    };
    const reasoning = { type: "reasoning", id: `rs_${id}`, summary: [] };
    const response = {
      id,
      object: "response",
      status: "completed",
      store: true,
      output: [reasoning, message],
    };
    agent.say({ type: "done", ask, status: 200, body: JSON.stringify(response) });
  };
  return { bodies, onAsk };
}

const jsonOf = async (response: Response | Promise<Response>) => (await (await response).json()) as Json;

describe("follow-ups of responses that an upstream keeps", () => {
  test("a follow-up goes to the agent whose upstream has the response, as the caller sent it", async () => {
    const [one, two] = [storing("one"), storing("two")];
    const { server, post } = await startModelScene({ hello: NATIVE, onAsk: one.onAsk });
    const other = await connectV2Agent(server.url, { hello: NATIVE, onAsk: two.onAsk });
    for (let turn = 0; turn < 10; turn++) {
      const { id } = await jsonOf(post("responses", { model: "m", input: "q" }));
      const { bodies } = String(id).includes("one") ? one : two;
      const input = [{ type: "item_reference", id: `msg_${id}` }];
      const body = { model: "m", input, previous_response_id: id };
      await jsonOf(post("responses", body));
      expect(bodies.at(-1)).toEqual(body);
    }
    other.stop();
  });

  test("a follow-up goes to another agent in full if that agent is gone, without what only its upstream knows", async () => {
    const [one, two] = [storing("one"), storing("two")];
    const { server, agent, post } = await startModelScene({ hello: NATIVE, onAsk: one.onAsk });
    const { id } = await jsonOf(post("responses", { model: "m", input: "q" }));
    agent.stop();
    await agent.ended;
    const other = await connectV2Agent(server.url, { hello: NATIVE, onAsk: two.onAsk });
    await jsonOf(post("responses", { model: "m", input: "again", previous_response_id: id }));
    expect(two.bodies).toEqual([
      {
        model: "m",
        input: [
          { type: "message", role: "user", content: "q" },
          { type: "message", role: "assistant", content: [{ type: "output_text", text: "one" }] },
          { type: "message", role: "user", content: "again" },
        ],
      },
    ]);
    other.stop();
  });

  test.each([false, true])(
    "a follow-up is sent again in full if the upstream has forgotten the response (streamed: %p)",
    async (stream) => {
      let isForgotten = false;
      const one = storing("one", () => {
        if (!isForgotten) return false;
        isForgotten = false;
        return true;
      });
      const { post } = await startModelScene({ hello: NATIVE, onAsk: one.onAsk });
      const { id } = await jsonOf(post("responses", { model: "m", input: "q" }));
      isForgotten = true;
      const response = await post("responses", {
        model: "m",
        input: "again",
        previous_response_id: id,
        stream,
      });
      expect(response.status).toBe(200);
      if (stream) expect((await readEvents(response)).at(-1)?.event).toBe("response.completed");
      else expect(await jsonOf(response)).toMatchObject({ status: "completed" });
      expect(one.bodies.slice(1).map(({ previous_response_id }) => previous_response_id)).toEqual([
        id,
        undefined,
      ]);
      expect(one.bodies[2]?.["input"]).toHaveLength(3);
    },
  );
});

/** Answers a streamed request when the test says so, and refuses any other. */
function waiting() {
  const asks: { ask: string; agent: V2Agent }[] = [];
  const onAsk = ({ ask, stream }: AskFrame, agent: V2Agent) => {
    agent.say({ type: "accept", ask });
    if (stream) asks.push({ ask, agent });
    else agent.say({ type: "done", ask, status: 400, body: "{}" });
  };
  const end = () => {
    for (const { ask, agent } of asks.splice(0)) {
      agent.say({
        type: "delta",
        ask,
        data: '{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}',
      });
      agent.say({ type: "delta", ask, data: "[DONE]" });
      agent.say({ type: "done", ask, status: 200 });
    }
  };
  return { onAsk, end };
}

describe("responses in the background", () => {
  test("one counts as a parallel request of its user until it has ended", async () => {
    const { onAsk, end } = waiting();
    const { server } = await startModelScene({ onAsk });
    const { post, get } = callerOf(server.url, await addLimitedUser(server.url, { max_parallel: 1 }));
    const body = { model: "m", input: "q", background: true };
    const { id } = await jsonOf(post("/v1/responses", body));
    expect((await post("/v1/responses", body)).status).toBe(429);
    let status: unknown;
    do {
      end();
      status = (await jsonOf(get(`/v1/responses/${id}`)))["status"];
    } while (status !== "completed");
    expect((await post("/v1/responses", { ...body, background: false, input: [] })).status).not.toBe(429);
  });

  test("one that is deleted ends, and is not kept when it does", async () => {
    const { onAsk } = waiting();
    const { agent, post, get, server } = await startModelScene({ onAsk });
    const { id } = await jsonOf(post("responses", { model: "m", input: "q", background: true }));
    const headers = { authorization: ADMIN_KEY };
    const deleted = await fetch(`${server.url}/v1/responses/${id}`, { method: "DELETE", headers });
    expect(deleted.status).toBe(200);
    await agent.next("cancel");
    expect((await get(`responses/${id}`)).status).toBe(404);
  });

  test("one of a user who was disabled has failed when they are let in again, if it is stored", async () => {
    const { onAsk } = waiting();
    const { agent, server } = await startModelScene({ onAsk }, ["--responses-days", "1"]);
    const user = await addLimitedUser(server.url);
    const { post, get } = callerOf(server.url, user);
    const { id } = await jsonOf(post("/v1/responses", { model: "m", input: "q", background: true }));
    const set = (action: string) =>
      fetch(`${server.url}/admin/users/${user.user_id}/${action}`, {
        method: "POST",
        headers: { authorization: ADMIN_KEY },
      });
    expect((await set("disable")).status).toBe(200);
    await agent.next("cancel");
    await set("enable");
    expect(await jsonOf(get(`/v1/responses/${id}`))).toMatchObject({ id, status: "failed" });
  });

  test("one is refused with `store: false`, and where nothing is kept", async () => {
    const { post, get } = await startModelScene({}, ["--response-memory", "0"]);
    const body = { model: "m", input: "q", background: true };
    for (const refused of [body, { ...body, store: false }]) {
      const response = await post("responses", refused);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { param: "background" } });
    }
    expect(await (await get("responses/resp_1")).json()).toMatchObject({
      error: { code: "response_not_found" },
    });
    expect((await post("conversations", {})).status).toBe(400);
  });
});

test("a conversation that is full, and one beside a previous response, are refused", async () => {
  const { post } = await startModelScene({}, ["--conversation-max", "1KB"]);
  const long = { role: "user", content: "x".repeat(700) };
  expect(await jsonOf(post("conversations", { items: [long, long] }))).toMatchObject({
    error: { code: "context_length_exceeded" },
  });
  const { id } = await jsonOf(post("conversations", { items: [long] }));
  const added = await post(`conversations/${id}/items`, { items: [long] });
  expect(added.status).toBe(400);
  const both = { model: "m", input: "q", conversation: id, previous_response_id: "resp_1" };
  expect(await jsonOf(post("responses", both))).toMatchObject({ error: { param: "conversation" } });
});

test("the stream of a response that was not streamed cannot be read, which the error says", async () => {
  const { post, get } = await startModelScene({ hello: NATIVE, onAsk: storing("one").onAsk });
  const { id } = await jsonOf(post("responses", { model: "m", input: "q" }));
  const response = await get(`responses/${id}?stream=true`);
  expect(response.status).toBe(409);
  expect(await response.json()).toMatchObject({ error: { code: "response_not_resumable" } });
});
