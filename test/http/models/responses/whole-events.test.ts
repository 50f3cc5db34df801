import { expect, test } from "bun:test";
import { eventsOfResponse } from "../../../../src/http/models/responses/whole-events.ts";
import { startModelScene } from "../../../support/model-scene.ts";
import { openaiAt } from "../../../support/sdks.ts";
import { ADMIN_KEY } from "../../../support/server.ts";
import { V2_HELLO } from "../../../support/v2-agent.ts";

const message = (...content: object[]) => ({
  ...{ id: "msg_1", type: "message", role: "assistant", status: "completed" },
  content,
});
const RESPONSE = {
  id: "resp_1",
  object: "response",
  created_at: 1,
  model: "m",
  status: "completed",
  error: null,
  incomplete_details: null,
  tools: [],
  output: [
    { id: "rs_1", type: "reasoning", summary: [] },
    message(
      { type: "output_text", text: "Hello\nworld", annotations: [] },
      { type: "refusal", refusal: "No" },
    ),
    {
      id: "fc_1",
      type: "function_call",
      call_id: "c",
      name: "look",
      arguments: '{"at":1}',
      status: "completed",
    },
  ],
  usage: { input_tokens: 7, output_tokens: 5, total_tokens: 12 },
};

const scene = (response: object) =>
  startModelScene({
    hello: { ...V2_HELLO, endpoints: ["responses"] },
    onAsk: ({ ask }, agent) => agent.say({ type: "done", ask, status: 200, body: JSON.stringify(response) }),
  });

test("a whole response that an upstream sends instead of a stream is the same response for the official package", async () => {
  const { server } = await scene(RESPONSE);
  const client = openaiAt({ baseURL: `${server.url}/v1`, apiKey: ADMIN_KEY });
  const stream = client.responses.stream({ model: "m", input: "hi" });
  let text = "";
  stream.on("response.output_text.delta", ({ delta }) => {
    text += delta;
  });
  const { output, status, usage } = await stream.finalResponse();
  expect(JSON.parse(JSON.stringify({ output, status, usage }))).toMatchObject({
    output: RESPONSE.output,
    status: "completed",
    usage: RESPONSE.usage,
  });
  expect(text).toBe("Hello\nworld");
});

test("the last event says how the response ended", () => {
  for (const status of ["completed", "incomplete", "failed"]) {
    const last = eventsOfResponse({ ...RESPONSE, status })?.at(-1);
    expect(last?.event).toBe(`response.${status}`);
  }
  const numbers = eventsOfResponse(RESPONSE)?.map(({ data }) => JSON.parse(data).sequence_number);
  expect(numbers).toEqual(numbers?.map((_, index) => index) ?? []);
});

test("anything else is not a response", () => {
  for (const value of [undefined, null, [], {}, { output: "text" }, { output: [{}] }])
    expect(eventsOfResponse(value)).toBeUndefined();
});
