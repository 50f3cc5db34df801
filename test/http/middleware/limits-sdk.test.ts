import { afterEach, describe, expect, setSystemTime, test } from "bun:test";
import OpenAI from "openai";
import { answerChat, answering } from "../../support/chat-agent.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { until } from "../../support/until.ts";
import { addLimitedUser, callerOf, rateLimitHeaders } from "../../support/user-caller.ts";

afterEach(() => {
  setSystemTime();
});

describe("the openai package", () => {
  test("the openai package reads a refusal as a RateLimitError with headers, and does not retry in vain", async () => {
    const { server } = await startModelScene(answering({ prompt_tokens: 5, completion_tokens: 5 }));
    const { token } = await addLimitedUser(server.url, { tokens_per_day: 10, requests_per_minute: 50 });
    setSystemTime(Date.UTC(2026, 10, 23, 12));
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: token, maxRetries: 3 });
    const create = () =>
      client.chat.completions
        .create({ model: "m", messages: [{ role: "user", content: "hi" }] })
        .withResponse();
    const { response } = await create();
    expect(rateLimitHeaders(response)).toMatchObject({
      "x-ratelimit-limit-requests": "50",
      "x-ratelimit-remaining-requests": "49",
      "x-ratelimit-reset-requests": expect.stringMatching(/^(1m0s|5\d(\.\d+)?s)$/),
      "x-ratelimit-limit-tokens": "10",
      "x-ratelimit-remaining-tokens": "0",
      "x-ratelimit-reset-tokens": "12h0m0s",
    });
    const error = await create().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    const { status, code, type, headers, message } = error as InstanceType<typeof OpenAI.RateLimitError>;
    expect([status, code, type]).toEqual([429, "rate_limit_exceeded", "rate_limit_error"]);
    expect(message).toContain("Please try again in 12h0m0s.");
    expect(headers?.get("x-ratelimit-remaining-requests")).toBe("49");
    expect(server.logged().split('"error":"limit_tokens"').length - 1).toBe(1);
  });

  test("the openai package waits as long as the server says, and then succeeds", async () => {
    const { server, agent } = await startModelScene();
    const user = await addLimitedUser(server.url, { max_parallel: 1 });
    const held = callerOf(server.url, user).chat();
    const { ask } = await agent.next("ask");
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: user.token, maxRetries: 2 });
    const messages = [{ role: "user" as const, content: "hi" }];
    const startedAt = performance.now();
    const created = client.chat.completions.create({ model: "m", messages });
    await until(async () => server.logged().includes('"error":"limit_parallel"'));
    answerChat(agent, ask, false);
    await (await held).text();
    answerChat(agent, (await agent.next("ask")).ask, false);
    expect((await created).choices[0]?.message.content).toBe("fine");
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
  });
});
