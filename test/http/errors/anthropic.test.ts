import { expect, test } from "bun:test";
import { AppError, ERRORS } from "../../../src/errors.ts";
import { anthropicStyle, anthropicTypeOfStatus } from "../../../src/http/errors/anthropic.ts";

test("every error code has the Anthropic type that belongs to its status", () => {
  for (const [code, { status, anthropicType }] of Object.entries(ERRORS))
    expect(anthropicType, code).toBe(anthropicTypeOfStatus(status));
});

test("an upstream's status decides the Anthropic type of an error that passes it on", () => {
  const error = new AppError("agent_failed", { upstream: { status: 429 } });
  expect(anthropicStyle.body(error, 429, "req_1")).toMatchObject({ error: { type: "rate_limit_error" } });
  expect(anthropicStyle.body(error, 502, "req_1")).toMatchObject({ error: { type: "api_error" } });
});

test("an upstream's names decide the Anthropic type of an error in a stream, if they are specific", () => {
  const typeOf = (upstream: { type?: string; code?: string }) =>
    JSON.parse(anthropicStyle.streamEvent(new AppError("agent_failed", { upstream }), "req_1").data).error
      .type;
  expect(typeOf({ code: "insufficient_quota" })).toBe("billing_error");
  expect(typeOf({ type: "overloaded_error", code: "other" })).toBe("overloaded_error");
  // The upstream may be a server like this one.
  expect(typeOf({ type: "server_error", code: "server_draining" })).toBe("overloaded_error");
  expect(typeOf({ type: "upstream_error", code: "agent_error" })).toBe("api_error");
});
