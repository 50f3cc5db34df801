import { expect, test } from "bun:test";
import { AppError, ERRORS, type ErrorCode } from "../../../src/errors.ts";
import { publicMessage, responsesStyle } from "../../../src/http/errors/openai.ts";

const codes = Object.keys(ERRORS) as ErrorCode[];

test.each(codes)("the message of %s is a sentence, and its hint another", (code) => {
  const alone = publicMessage(new AppError(code));
  expect(alone).toMatch(/^[A-Z0-9][^:]*[a-z'-]\.$/);
  expect(publicMessage(new AppError(code, { hint: "Do this." }))).toBe(`${alone} Do this.`);
});

test.each<[string, string]>([
  ["the agent went away", "The agent was lost: the agent went away."],
  ["It broke.", "The agent was lost: It broke."],
  ["Why?", "The agent was lost: Why?"],
])("the agent's reason %p follows a colon and ends with one full stop", (err, message) => {
  expect(publicMessage(new AppError("agent_lost", { extra: { err } }))).toBe(message);
  const hinted = new AppError("agent_lost", { extra: { err }, hint: "Try again." });
  expect(publicMessage(hinted)).toBe(`${message} Try again.`);
});

test("a failed Responses stream ends with the response that its first event announced", () => {
  const first = JSON.stringify({ type: "response.created", response: { id: "resp_1", model: "m" } });
  const { event, data } = responsesStyle.streamEvent(new AppError("draining"), "req_1", { count: 4, first });
  expect(event).toBe("response.failed");
  expect(JSON.parse(data)).toEqual({
    type: "response.failed",
    sequence_number: 4,
    response: {
      ...{ id: "resp_1", model: "m", status: "failed" },
      error: { code: "server_draining", message: "Server is shutting down." },
    },
  });
  for (const odd of [undefined, "[DONE]", '{"response":5}', "null"]) {
    const { response } = JSON.parse(
      responsesStyle.streamEvent(new AppError("internal"), "req_1", { count: 1, first: odd }).data,
    );
    expect(Object.keys(response)).toEqual(["status", "error"]);
  }
});
