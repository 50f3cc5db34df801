import { describe, expect, test } from "bun:test";
import {
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
  UnprocessableEntityError,
} from "openai";
import { shareModelApi } from "../support/model-api.ts";
import { openaiAt, rejectionOf } from "../support/sdks.ts";
import { json, shareRecordingUpstream } from "../support/upstream/recording-upstream.ts";
import { shareFaultUpstream } from "../support/upstream/start.ts";

const faults = shareFaultUpstream();
const upstream = shareRecordingUpstream(["mine"]);
const api = shareModelApi({
  agents: () => [
    ["--upstream", faults().url],
    ["--upstream", upstream().url],
  ],
  flags: ["--body-max", "100kB"],
});
const messages = [{ role: "user" as const, content: "Hello" }];
const ask = (body: { model: string } & Record<string, unknown>, maxRetries = 0) =>
  openaiAt(api(), maxRetries).chat.completions.create({ messages, ...body });

describe("errors as the openai package throws them", () => {
  test.each([
    ["bad-request", BadRequestError, 400, "context_length_exceeded", "invalid_request_error"],
    ["rate-limited", RateLimitError, 429, "rate_limit_exceeded", "rate_limit_error"],
    ["broken", InternalServerError, 500, null, "server_error"],
    // A client cannot use HTML, and the wrong key is the agent's.
    ["broken-html", InternalServerError, 502, "agent_error", "upstream_error"],
    ["unauthorized", InternalServerError, 502, "agent_error", "upstream_error"],
    ["dies-first", InternalServerError, 502, "agent_error", "upstream_error"],
    ["redirects", InternalServerError, 502, "agent_error", "upstream_error"],
    ["nobody-has-it", NotFoundError, 404, "model_not_found", "invalid_request_error"],
  ])(
    "the openai package throws its own class of error for the failure %s",
    async (model, Kind, status, code, type) => {
      for (const stream of [false, true]) {
        const thrown = await rejectionOf(ask({ model, stream }));
        expect(thrown).toBeInstanceOf(Kind);
        expect(thrown).toMatchObject({ status, code, type, requestID: expect.stringMatching(/^req_/) });
        expect((thrown as APIError).message.length).toBeGreaterThan(10);
      }
    },
  );

  test.each([
    [409, ConflictError],
    [422, UnprocessableEntityError],
    [503, InternalServerError],
  ])("the openai package throws its own class of error for an upstream's %i", async (status, Kind) => {
    expect(await rejectionOf(ask({ model: "refuses", status }))).toBeInstanceOf(Kind);
  });

  test("the openai package throws its own errors for a wrong key, an invalid body and a body that is too large", async () => {
    const stranger = openaiAt({ ...api(), apiKey: "nobody's" });
    const unknown = await rejectionOf(stranger.chat.completions.create({ model: "echo", messages }));
    expect(unknown).toBeInstanceOf(AuthenticationError);
    expect(unknown).toMatchObject({ status: 401, code: "invalid_api_key" });
    expect(await rejectionOf(stranger.models.list())).toBeInstanceOf(AuthenticationError);

    expect(await rejectionOf(ask({ model: 7 } as never))).toBeInstanceOf(BadRequestError);
    const huge = await rejectionOf(ask({ model: "echo", user: "x".repeat(120_000) }));
    expect(huge).toBeInstanceOf(APIError);
    expect(huge).toMatchObject({ status: 413, code: "request_too_large" });
  });

  test("the openai package throws its own error for an endpoint that no agent with the model offers", async () => {
    const thrown = await rejectionOf(openaiAt(api()).completions.create({ model: "echo", prompt: "Hello" }));
    expect(thrown).toBeInstanceOf(NotFoundError);
    expect(thrown).toMatchObject({ code: "endpoint_not_supported", param: "model" });
  });

  test("the openai package throws its own errors for its time-out and for an abort", async () => {
    for (const stream of [false, true]) {
      const { completions } = openaiAt(api()).chat;
      const late = await rejectionOf(
        completions.create({ model: "never", messages, stream }, { timeout: 100 }),
      );
      expect(late).toBeInstanceOf(APIConnectionTimeoutError);
      const caller = new AbortController();
      const asked = completions.create({ model: "never", messages, stream }, { signal: caller.signal });
      caller.abort();
      expect(await rejectionOf(asked)).toBeInstanceOf(APIUserAbortError);
    }
    await faults().openUntil(({ open }) => open === 0);
  });
});

describe("the package's own retries", () => {
  const good = '{"id":"c","object":"chat.completion","choices":[{"message":{"content":"at last"}}]}';
  const refused = (status: number, headers: Record<string, string>) =>
    json({ error: { message: "not now", type: "rate_limit_error", code: null } }, { status, headers });

  test("the openai package retries after the time that the upstream named, in milliseconds too, and gets the answer", async () => {
    for (const stream of [false, true]) {
      const before = upstream().requests.length;
      upstream().answer(() =>
        upstream().requests.length === before + 1 ? refused(429, { "retry-after-ms": "150" }) : json(good),
      );
      await ask({ model: "mine", stream }, 2);
      const [first, second, ...more] = upstream().requests.slice(before);
      expect(more).toEqual([]);
      expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(145);
    }
  });

  test("the openai package does not retry when the upstream forbids it", async () => {
    upstream().answer(() => refused(429, { "x-should-retry": "false" }));
    expect(await rejectionOf(ask({ model: "mine" }, 2))).toBeInstanceOf(RateLimitError);
    const { length } = upstream().requests;
    expect(await rejectionOf(ask({ model: "mine" }, 0))).toBeInstanceOf(RateLimitError);
    // Three permitted tries make as many requests as one.
    expect(upstream().requests.length).toBe(2 * length);
  });
});
