import { expect, test } from "bun:test";
import { COUNT_ENDPOINT } from "../../../../src/protocol/agent-v2.ts";
import { startModelScene } from "../../../support/model-scene.ts";
import { V2_HELLO, type V2AgentOptions } from "../../../support/v2-agent.ts";

const PATH = "messages/count_tokens";
const ASKED = {
  model: "m",
  system: "Be kind.",
  messages: [{ role: "user", content: "Hello" }],
  tools: [{ name: "look", input_schema: { type: "object" } }],
};

const agentWith = (endpoints: readonly string[], status = 200, body: object = { input_tokens: 12 }) =>
  ({
    hello: { ...V2_HELLO, models: [{ id: "m" }], endpoints: [...endpoints] },
    onAsk: ({ ask }, self) => self.say({ type: "done", ask, status, body: JSON.stringify(body) }),
  }) as V2AgentOptions;

test("an agent with a tokenizer counts the chat that the message would become", async () => {
  const scene = await startModelScene(agentWith(["chat/completions", COUNT_ENDPOINT]));
  const response = await scene.post(PATH, ASKED);
  expect([response.status, await response.json()]).toEqual([200, { input_tokens: 12 }]);
  const counted = await scene.agent.next("ask");
  expect([counted.endpoint, counted.stream]).toEqual([COUNT_ENDPOINT, false]);
  void scene.post("messages", { ...ASKED, max_tokens: 5 });
  const asked = await scene.agent.next("ask");
  const { messages, tools, model } = JSON.parse(asked.body);
  expect(JSON.parse(counted.body)).toEqual({ model, messages, tools });
});

test("an agent whose upstream counts messages itself gets the body unchanged", async () => {
  const scene = await startModelScene(agentWith([PATH, COUNT_ENDPOINT]));
  const text = JSON.stringify({ ...ASKED, odd: 1, stream: true });
  expect(await (await scene.post(PATH, text)).json()).toEqual({ input_tokens: 12 });
  const { endpoint, body } = await scene.agent.next("ask");
  expect([endpoint, body]).toEqual([PATH, text]);
});

test("a message that cannot be translated, or a model whose agents cannot count, is a 404 in Anthropic's shape", async () => {
  const prefilled = { ...ASKED, messages: [...ASKED.messages, { role: "assistant", content: "Hi, I" }] };
  const broken = { model: "m", messages: "Hello" };
  for (const [endpoints, bodies] of [
    [
      ["chat/completions", COUNT_ENDPOINT],
      [prefilled, broken],
    ],
    [["chat/completions"], [ASKED, prefilled, broken]],
  ] as const) {
    const scene = await startModelScene(agentWith(endpoints));
    for (const body of bodies) {
      const response = await scene.post(PATH, body);
      expect([response.status, await response.json()]).toEqual([
        404,
        expect.objectContaining({
          type: "error",
          error: expect.objectContaining({ type: "not_found_error" }),
        }),
      ]);
    }
  }
});

test("a refusal of the agent's tokenizer is a 404, and an answer without a count is a 502", async () => {
  const error = { message: "The tokens of this request cannot be counted. It has more than text." };
  const refusing = await startModelScene(agentWith([COUNT_ENDPOINT], 404, { error }));
  const refused = await refusing.post(PATH, ASKED);
  expect(refused.status).toBe(404);
  expect(await refused.json()).toMatchObject({
    type: "error",
    error: { type: "not_found_error", message: expect.stringContaining("more than text") },
  });
  const odd = await startModelScene(agentWith([COUNT_ENDPOINT], 200, { tokens: [] }));
  expect((await odd.post(PATH, ASKED)).status).toBe(502);
});
