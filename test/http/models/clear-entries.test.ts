import { expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import { clearEntries } from "../../../src/http/models/clear-entries.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { V2_HELLO } from "../../support/v2-agent.ts";

function refusalOf(text: string): [code: string, param: string | undefined] | undefined {
  try {
    clearEntries(text);
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return [error.code, error.param];
    throw error;
  }
}

test.each([
  ['{"model":"a","model":"b"}', "model"],
  ['{"model":"a","mod\\u0065l":"b"}', "model"],
  ['{"model":"a","x":[{"x":1}],"temperature":1,"temperature":2}', "temperature"],
  ['{"model":"a","Model":"b"}', "Model"],
  ['{"model":"a","MODEL":"b"}', "MODEL"],
  ['{"model":"a","\\u004dodel":"b"}', "Model"],
  ['{"model":"a","Models":["b"]}', "Models"],
  ['{"model":"a","model\u017f":["b"]}', "model\u017f"],
  ['{"model":"a","\u017ftream":true}', "\u017ftream"],
  ['{"model":"a","\\u017ftream":true}', "\u017ftream"],
  ['{"model":"a","STREAM_OPTIONS":{}}', "STREAM_OPTIONS"],
  ['{"model":"a","stream_option\u017f":{}}', "stream_option\u017f"],
  ['{"model":"a","Fallbac\u212as":[]}', "Fallbac\u212as"],
  ['{"stream_options":{"include_usage":false,"include_usage":true}}', "stream_options.include_usage"],
  ['{"stream_options":{"include_usage":true,"Include_Usage":false}}', "stream_options.Include_Usage"],
])("a body that parsers read differently is refused by the key's name: %s", (text, param) => {
  expect(refusalOf(text)).toEqual(["request_invalid", param]);
});

test.each([
  '{"model":"a","models":["b"],"stream":true,"stream_options":{"include_usage":true},"fallbacks":[]}',
  '{"model":"a","messages":[{"model":1,"Model":2,"role":"user","role":"user"}]}',
  '{"model":"a","Modell":"b","xmodel":1,"Temperature":1,"temperature":1}',
  '{"model":"a","stream_options":null}',
  "{}",
])("a body with clear keys is accepted: %s", (text) => {
  expect(refusalOf(text)).toBeUndefined();
});

test.each([
  "chat/completions",
  "completions",
  "embeddings",
  "responses",
  "messages",
  "messages/count_tokens",
])("/v1/%s refuses a second model in its own error style, and no agent sees it", async (endpoint) => {
  const asks: string[] = [];
  const { post } = await startModelScene({
    hello: { ...V2_HELLO, endpoints: [endpoint] },
    onAsk({ ask, body }, agent) {
      asks.push(body);
      agent.say({ type: "done", ask, status: 200, body: "{}" });
    },
  });
  for (const [more, key] of [
    ['"Model":"expensive"', "Model"],
    ['"model":"expensive"', "model"],
  ]) {
    const response = await post(endpoint, `{"model":"m","messages":[],"input":"x",${more}}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { type: "invalid_request_error", message: expect.stringContaining(`\`${key}\``) },
    });
  }
  expect(asks).toEqual([]);
});
