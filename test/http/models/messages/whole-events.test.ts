import { expect, test } from "bun:test";
import { eventsOfMessage } from "../../../../src/http/models/messages/whole-events.ts";
import { startModelScene } from "../../../support/model-scene.ts";
import { anthropicAt } from "../../../support/sdks.ts";
import { ADMIN_KEY } from "../../../support/server.ts";
import { V2_HELLO } from "../../../support/v2-agent.ts";

const MESSAGE = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "m",
  content: [
    { type: "thinking", thinking: "Hm.", signature: "c2ln" },
    { type: "text", text: "I look.\nThen I tell." },
    { type: "tool_use", id: "toolu_1", name: "look", input: { at: "here", deep: [1, null] } },
    { type: "redacted_thinking", data: "c2VjcmV0" },
    { type: "text", text: "" },
  ],
  stop_reason: "tool_use",
  stop_sequence: null,
  usage: { input_tokens: 7, output_tokens: 5 },
};

test("a whole message that an upstream sends instead of a stream is the same message for Anthropic's package", async () => {
  const { server } = await startModelScene({
    hello: { ...V2_HELLO, endpoints: ["messages"] },
    onAsk: ({ ask }, agent) => agent.say({ type: "done", ask, status: 200, body: JSON.stringify(MESSAGE) }),
  });
  const client = anthropicAt({ baseURL: `${server.url}/v1`, apiKey: ADMIN_KEY });
  const stream = client.messages.stream({
    ...{ model: "m", max_tokens: 9 },
    messages: [{ role: "user", content: "hi" }],
  });
  expect(JSON.parse(JSON.stringify(await stream.finalMessage()))).toMatchObject(MESSAGE);
});

test("anything else is not a message", () => {
  for (const value of [undefined, null, [], {}, { content: "text" }, { content: [{}] }])
    expect(eventsOfMessage(value)).toBeUndefined();
});
