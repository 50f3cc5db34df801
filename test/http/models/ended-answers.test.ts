import { describe, expect, test } from "bun:test";
import { startModelScene } from "../../support/model-scene.ts";
import { type AskFrame, chunk, V2_HELLO, type V2Agent, type V2AgentOptions } from "../../support/v2-agent.ts";

const MESSAGES = [{ role: "user", content: "hi" }];
const CHAT = { model: "m", messages: MESSAGES, stream: true };
const END = JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
const WHOLE = JSON.stringify({
  choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
});

/** An agent that sends these events, and then this end. */
const answering = (end: object, ...events: string[]): V2AgentOptions => ({
  hello: V2_HELLO,
  onAsk: ({ ask }: AskFrame, agent: V2Agent) => {
    for (const data of events) agent.say({ type: "delta", ask, data });
    agent.say({ type: "done", ask, status: 200, ...end });
  },
});

const SURFACES: [string, object][] = [
  ["chat/completions", CHAT],
  ["responses", { model: "m", input: "hi", stream: true }],
  ["messages", { ...CHAT, max_tokens: 9 }],
];

describe.each(SURFACES)("the end of a streamed answer on /v1/%s", (path, body) => {
  test("a good status without any event is a failure with a status", async () => {
    const { post } = await startModelScene(answering({}));
    const response = await post(path, body);
    expect(response.status).toBe(502);
    expect(await response.text()).toContain("its upstream ended the answer before it began");
  });

  test.each([400, 500])("a status of %d without a body is an error", async (status) => {
    const { post } = await startModelScene(answering({ status }));
    const response = await post(path, body);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(`status ${status}`);
  });

  test.each([
    [{ status: 500 }, "its upstream ended the answer with status 500"],
    [{ status: 400, body: '{"error":{"message":"too late"}}' }, "too late"],
  ])("%j after the first event becomes an error of the stream", async (end, reason) => {
    const { post } = await startModelScene(answering(end, chunk("Hel")));
    const response = await post(path, body);
    const text = await response.text();
    expect([response.status, text.includes("Hel"), text.includes(reason)]).toEqual([200, true, true]);
    expect(text).not.toMatch(/\[DONE\]|message_stop|response\.completed/);
  });

  test("a whole answer after its events is not sent again", async () => {
    const { post } = await startModelScene(answering({ body: WHOLE }, chunk("Hello"), END));
    const text = await (await post(path, body)).text();
    const deltas = text.split("\n").filter((line) => /"(content|delta|text)":"Hello"/.test(line));
    expect(deltas.filter((line) => !/\.done"|\.completed"/.test(line))).toHaveLength(1);
  });
});

test.each(["", "hello", "[]", '{"choices":', "7"])(
  "an answer with the body %j is a failure",
  async (body) => {
    const { post } = await startModelScene(answering({ body }));
    const response = await post("chat/completions", { model: "m", messages: MESSAGES });
    expect(response.status).toBe(502);
    expect(await response.text()).toContain("its answer is not a JSON object");
  },
);

test("an end mark is sent once, also if the usage comes after it", async () => {
  const usage = JSON.stringify({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 1 } });
  const { post } = await startModelScene(answering({}, chunk("a"), END, "[DONE]", usage));
  const text = await (await post("chat/completions", CHAT)).text();
  expect(text.match(/\[DONE\]/g)).toHaveLength(1);
});
