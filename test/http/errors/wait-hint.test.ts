import { describe, expect, test } from "bun:test";
import { AppError, type ErrorCode } from "../../../src/errors.ts";
import { anthropicStyle } from "../../../src/http/errors/anthropic.ts";
import { openaiStyle, responsesStyle } from "../../../src/http/errors/openai.ts";
import { referenceStyle } from "../../../src/http/errors/reference.ts";
import { errorResponse } from "../../../src/http/errors/response.ts";
import { hintOf } from "../../../src/http/errors/wait-hint.ts";

const STYLES = { referenceStyle, openaiStyle, responsesStyle, anthropicStyle };
const CODES: ErrorCode[] = ["queue_full", "user_queue_full", "no_agent"];
const MINUTES = "Requests wait about 3 min for an agent now.";

describe.each(Object.entries(STYLES))("errors of requests that had to wait, in the %s", (_, style) => {
  test.each(CODES)(
    "%s says how long requests wait, and Retry-After says so within a minute",
    async (code) => {
      const refusal = async (retryAfterMs?: number) => {
        const response = errorResponse(new AppError(code, { retryAfterMs }), style, "req_1");
        const { headers } = response;
        return {
          text: await response.text(),
          retry: [headers.get("retry-after"), headers.get("retry-after-ms")],
        };
      };
      const soon = await refusal(7_300);
      expect(soon.text).toContain("Requests wait about 8 s for an agent now.");
      expect(soon.retry).toEqual(["8", "7300"]);
      const late = await refusal(150_000);
      expect(late.text).toContain(MINUTES);
      expect(late.retry).toEqual(["60", "60000"]);
      const unknown = await refusal();
      expect(unknown.text).not.toContain("wait about");
      expect(Number(unknown.retry[0])).toBeGreaterThan(0);
    },
  );

  test("the event that ends a stream says how long requests wait", () => {
    const { data } = style.streamEvent(new AppError("no_agent", { retryAfterMs: 150_000 }), "req_1");
    expect(data).toContain(MINUTES);
  });
});

test("the wait follows another hint, and is not about the pause of an agent that failed", () => {
  const error = new AppError("no_agent", { hint: "Connect one.", retryAfterMs: 1 });
  expect(hintOf(error)).toBe("Connect one. Requests wait about 1 s for an agent now.");
  expect(hintOf(new AppError("agent_failed", { hint: "Wait.", retryAfterMs: 9_000 }))).toBe("Wait.");
});
