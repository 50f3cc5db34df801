import { describe, expect, test } from "bun:test";
import { readEvents } from "../../support/event-reader.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { chunk, streamPieces, V2_HELLO, type V2AgentOptions } from "../../support/v2-agent.ts";

type Json = Record<string, unknown>;

const jsonOf = async (response: Response | Promise<Response>) => (await (await response).json()) as Json;

async function scene(
  onAsk: NonNullable<V2AgentOptions["onAsk"]> = ({ ask }, agent) => streamPieces(agent, ask, ["x"]),
  hello: V2AgentOptions["hello"] = V2_HELLO,
) {
  const { post, get } = await startModelScene({ onAsk, hello });
  const asked = { model: "m", input: "q", stream: true };
  return {
    ...{ post, get },
    /** Resolves with the last state of a streamed response. */
    async stream(body: object = {}): Promise<Json> {
      const events = await readEvents(await post("responses", { ...asked, ...body }));
      return JSON.parse(events.at(-1)?.data ?? "").response;
    },
    refusal: (body: object) => jsonOf(post("responses", { ...asked, ...body })),
  };
}

describe("a response that cannot be continued is refused with the reason", () => {
  test("one that has not ended, and one that has failed", async () => {
    const { refusal, post, get } = await scene(({ ask }, agent) => {
      agent.say({ type: "accept", ask });
      agent.say({ type: "delta", ask, data: chunk("half") });
    });
    const { id } = await jsonOf(post("responses", { model: "m", input: "q", background: true }));
    const message = async () => ((await refusal({ previous_response_id: id }))["error"] as Json)["message"];
    expect(await message()).toContain("the response has not ended yet");
    await post(`responses/${id}/cancel`, {});
    expect(await jsonOf(get(`responses/${id}`))).toMatchObject({ status: "cancelled" });
    expect(await message()).toContain("the response, or one that it continues, has failed");
  });

  test("an upstream with responses of its own is not asked, as it would only say that it knows none", async () => {
    const asked: string[] = [];
    const { refusal, post, get } = await scene(
      ({ ask, body }, agent) => {
        asked.push(body);
        agent.say({ type: "accept", ask });
        if (asked.length > 1) return agent.say({ type: "done", ask, status: 400, body: "{}" });
        agent.say({ type: "delta", ask, event: "response.created", data: '{"type":"response.created"}' });
      },
      { ...V2_HELLO, endpoints: ["responses"] },
    );
    const { id } = await jsonOf(post("responses", { model: "m", input: "q", background: true }));
    for (const body of [{}, { background: true }, { stream: false }])
      expect(await refusal({ previous_response_id: id, ...body })).toMatchObject({
        error: {
          code: "previous_response_not_found",
          message: expect.stringContaining("the response has not ended yet"),
        },
      });
    await post(`responses/${id}/cancel`, {});
    expect(await jsonOf(get(`responses/${id}`))).toMatchObject({ status: "cancelled" });
    expect(await refusal({ previous_response_id: id })).toMatchObject({
      error: { message: expect.stringContaining("has failed") },
    });
    expect(asked).toHaveLength(1);
  });
});

test.each(["", "-1", "x", "1.5", "0x1", "1e3", "%203", "9".repeat(20), "1&starting_after[]=2"])(
  "a stream is not resumed after the event %p, and one after an event that will never come is empty",
  async (after) => {
    const { stream, get } = await scene();
    const { id } = await stream();
    const resumed = await get(`responses/${id}?stream=true&starting_after=${after}`);
    expect(resumed.status).toBe(400);
    expect(await resumed.json()).toMatchObject({ error: { param: "starting_after" } });
    const far = await get(`responses/${id}?stream=true&starting_after=${"9".repeat(15)}`);
    expect(await readEvents(far)).toEqual([]);
  },
);

test.each([
  [{ type: "item_reference", id: "msg_1" }, "items[0].type"],
  [{ foo: 1 }, "items[0].role"],
  [{ role: "nobody", content: "x" }, "items[0].role"],
  [{ type: "message", role: "user", content: 5 }, "items[0].content"],
  [{ type: "message", role: "user", content: [5] }, "items[0].content"],
  [{ role: "user", content: "x", id: 5 }, "items[0].id"],
  [{ type: 5 }, "items[0].type"],
])("a conversation does not take the item %j, with which it could not be continued", async (item, param) => {
  const { post, get } = await scene();
  const { id } = await jsonOf(post("conversations", {}));
  for (const asked of [
    post(`conversations/${id}/items`, { items: [item] }),
    post("conversations", { items: [item] }),
  ])
    expect(await jsonOf(asked)).toMatchObject({ error: { param, type: "invalid_request_error" } });
  expect(await jsonOf(get(`conversations/${id}/items`))).toMatchObject({ data: [] });
});
