import { expect, test } from "bun:test";
import { responseIdOf } from "../../../../src/http/models/affinity/response-id.ts";

test("the id of a response, and of the event that begins one, is found near its beginning", () => {
  const response = { object: "response", id: "resp_1", output: [{ id: "msg_1" }] };
  expect(responseIdOf(JSON.stringify(response, null, 2))).toBe("resp_1");
  expect(responseIdOf(JSON.stringify({ type: "response.created", response }))).toBe("resp_1");
  for (const none of [
    "",
    "{}",
    '{"id":7}',
    '{"id":"a b"}',
    `{"id":"${"x".repeat(257)}"}`,
    `${" ".repeat(3000)}"id":"x"`,
  ])
    expect(responseIdOf(none)).toBeUndefined();
});
