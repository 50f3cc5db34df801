import { expect, test } from "bun:test";
import { createEcho } from "../../src/builtin-agent/echo.ts";
import { startAgentServer } from "../support/agent-server.ts";
import { startBuiltinAgent, textOf } from "./start.ts";

const ask = async (body: unknown, stream: boolean) => {
  const server = startAgentServer();
  startBuiltinAgent(server, { upstream: createEcho() });
  const agent = await server.next();
  expect(agent.hello).toMatchObject({ models: [{ id: "echo" }], endpoints: ["chat/completions"] });
  agent.ask({ ask: "1", stream, body: JSON.stringify(body) });
  return agent.answer("1");
};
const messages = (content: unknown) => [
  { role: "user", content: "before" },
  { role: "assistant", content: "no" },
  { role: "user", content },
];

test.each(["one", "  a\n\n b\tc ", "", "日本語 👩‍🔬"])(
  "the echo streams %j word by word, with every blank",
  async (text) => {
    const answer = await ask({ model: "echo", stream: true, messages: messages(text) }, true);
    expect(textOf(answer)).toBe(text);
    const events = answer.deltas.map(({ data }) => data);
    const chunks = events.slice(0, -1).map((data) => JSON.parse(data));
    expect(events.at(-1)).toBe("[DONE]");
    expect(chunks[0]).toMatchObject({
      object: "chat.completion.chunk",
      choices: [{ delta: { role: "assistant" } }],
    });
    expect(chunks.at(-1).choices[0]).toMatchObject({ delta: {}, finish_reason: "stop" });
    expect(answer.end).toEqual({ type: "done", ask: "1", status: 200 });
  },
);

test("the echo answers whole if no stream is asked for, from the text parts", async () => {
  const parts = [{ type: "text", text: "a " }, { type: "image_url" }, { type: "text", text: "b" }];
  const { end } = await ask({ model: "echo", messages: messages(parts) }, false);
  const body = JSON.parse((end.type === "done" && end.body) || "");
  expect(body.choices[0].message).toMatchObject({ role: "assistant", content: "a b" });
  expect(end).not.toHaveProperty("usage");
});

test("the echo refuses a request without a user message", async () => {
  const { end } = await ask({ model: "echo", messages: [] }, true);
  expect(end).toMatchObject({
    type: "done",
    status: 400,
    body: expect.stringContaining("invalid_request_error"),
  });
});
