import { describe, expect, test } from "bun:test";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { V2_HELLO } from "../../support/v2-agent.ts";

const WHY = "context too long: 9000";
const HELLO = [{ role: "user", content: "hi" }];

/** Starts a server whose agent has chat completions only, and gives every ask this answer. */
async function scene(status: number, body: unknown) {
  const { server, post } = await startModelScene({
    hello: { ...V2_HELLO, models: [{ id: "m" }], endpoints: ["chat/completions"] },
    onAsk: ({ ask }, agent) =>
      agent.say({ type: "done", ask, status, body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const reply = async (response: Response) => [response.status, await response.text()] as const;
  const requests = {
    chat: () => post("chat/completions", { model: "m", messages: HELLO }),
    messages: () => post("messages", { model: "m", max_tokens: 9, messages: HELLO }),
    responses: () => post("responses", { model: "m", input: "hi" }),
    streamed: () => post("messages", { model: "m", max_tokens: 9, stream: true, messages: HELLO }),
    ask: () =>
      fetch(`${server.url}/api/ask`, {
        method: "POST",
        headers: { authorization: ADMIN_KEY },
        body: JSON.stringify({ model: "m", content: "hi" }),
      }),
  };
  return async (name: keyof typeof requests) => reply(await requests[name]());
}

describe("an upstream's error", () => {
  test.each([
    { error: { message: WHY } },
    { error: WHY },
    { object: "error", message: WHY, type: "BadRequestError", code: 400 },
    { detail: WHY },
    { detail: [{ type: "value_error", loc: ["body"], msg: WHY }] },
    { message: WHY },
    JSON.stringify(WHY),
  ])("callers of translated routes and of /api/ask see the reason in %j", async (body) => {
    const reply = await scene(400, body);
    for (const route of ["messages", "responses", "streamed"] as const) {
      const [status, text] = await reply(route);
      expect([status, text.includes(WHY)]).toEqual([400, true]);
    }
    expect((await reply("ask"))[1]).toContain(WHY);
  });

  test("an error without a reason names its status, and never says undefined", async () => {
    const reply = await scene(400, { error: { message: "undefined" } });
    for (const route of ["messages", "responses", "ask"] as const) {
      const [, text] = await reply(route);
      expect(text).toMatch(/status 400/);
      expect(text).not.toContain("undefined");
    }
  });

  test("an answer of 200 whose body is an error is an error on every route", async () => {
    const named = await scene(200, { error: { message: WHY, code: 422 } });
    const bare = await scene(200, { error: WHY });
    for (const route of ["chat", "messages", "responses", "streamed"] as const) {
      expect([route, await named(route)]).toEqual([route, [422, expect.stringContaining(WHY)]]);
      expect([route, await bare(route)]).toEqual([route, [502, expect.stringContaining(WHY)]]);
    }
    for (const reply of [named, bare])
      expect(await reply("ask")).toEqual([502, expect.stringContaining(WHY)]);
  });

  test("a refusal of the agent's key is hidden, and any other 403 is passed on", async () => {
    const key = { error: { message: "Incorrect API key sk-12**89", code: "invalid_api_key" } };
    const flagged = { error: { message: "The input was flagged" } };
    const hidden = [await scene(401, flagged), await scene(403, key)];
    const shown = await scene(403, flagged);
    for (const route of ["chat", "messages", "responses"] as const) {
      for (const reply of hidden) {
        const [status, text] = await reply(route);
        expect([status, /sk-|flagged/.test(text)]).toEqual([502, false]);
      }
      expect(await shown(route)).toEqual([403, expect.stringContaining("The input was flagged")]);
    }
  });
});

test("an error in another shape than the API's becomes one of the API's, with the upstream's reason and status", async () => {
  const google = [{ error: { code: 400, message: WHY, status: "INVALID_ARGUMENT" } }];
  for (const body of [
    google,
    { object: "error", message: WHY, code: 400 },
    { detail: WHY },
    `<h1>${WHY}</h1>`,
  ]) {
    const [status, text] = await (await scene(400, body))("chat");
    expect([status, JSON.parse(text).error.message]).toEqual([400, `The agent could not answer: ${WHY}.`]);
  }
  const own = { error: { message: WHY, type: "x", param: null, code: null, more: 1 } };
  expect(await (await scene(400, own))("chat")).toEqual([400, JSON.stringify(own)]);
});

test.each([{}, { choices: [] }, { choices: null }, { choices: [{ delta: {} }] }])(
  "the body %j is an error for a request that asked for a stream",
  async (body) => {
    const { post } = await startModelScene({
      hello: { ...V2_HELLO, models: [{ id: "m" }], endpoints: ["chat/completions"] },
      onAsk: ({ ask }, agent) => agent.say({ type: "done", ask, status: 200, body: JSON.stringify(body) }),
    });
    const chat = await post("chat/completions", { model: "m", stream: true, messages: HELLO });
    expect([chat.status, await chat.json()]).toMatchObject([502, { error: { code: "agent_error" } }]);
    const message = await post("messages", { model: "m", max_tokens: 9, stream: true, messages: HELLO });
    expect([message.status, await message.json()]).toMatchObject([502, { type: "error" }]);
  },
);
