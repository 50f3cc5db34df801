import { describe, expect, onTestFinished, test } from "bun:test";
import { firefoxAgent } from "../../support/agents.ts";
import { answerChat, answering } from "../../support/chat-agent.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { startTestServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";
import { addLimitedUser, callerOf, rateLimitHeaders } from "../../support/user-caller.ts";
import { type AskFrame, V2_HELLO, type V2Agent, type V2AgentOptions } from "../../support/v2-agent.ts";

const ALL_ENDPOINTS = {
  ...V2_HELLO,
  slots: 64,
  endpoints: [
    ...["chat/completions", "responses", "completions", "embeddings", "messages", "messages/count_tokens"],
  ],
};

const messages = [{ role: "user", content: "hi" }];
const usage = { prompt_tokens: 60, completion_tokens: 50 };

async function startTokenScene(tokensPerDay: number) {
  const { server, agent } = await startModelScene({ hello: ALL_ENDPOINTS });
  const caller = callerOf(server.url, await addLimitedUser(server.url, { tokens_per_day: tokensPerDay }));
  const left = async () =>
    Number((await caller.get("/api/usage")).headers.get("x-ratelimit-remaining-tokens"));
  return { agent, caller, left };
}

/** Ends an ask as each endpoint does, streamed or not. */
function answer(agent: V2Agent, { ask, stream, endpoint }: AskFrame): void {
  if (endpoint === "chat/completions") {
    answerChat(agent, ask, stream, usage);
    return;
  }
  if (stream) agent.say({ type: "delta", ask, data: TEXT_EVENT });
  agent.say({ type: "done", ask, status: 200, ...(!stream && { body: "{}" }), usage });
}

/** An event with text, which is enough for a stream to be an answer. */
const TEXT_EVENT = JSON.stringify({ choices: [{ text: "hi", delta: {} }] });

const SURFACES: readonly (readonly [path: string, body: object])[] = [
  ["/api/ask", { content: "hi" }],
  ["/api/ask", { content: "hi", stream: true }],
  ["/v1/chat/completions", { model: "m", messages }],
  ["/v1/chat/completions", { model: "m", messages, stream: true }],
  ["/v1/completions", { model: "m", prompt: "hi" }],
  ["/v1/completions", { model: "m", prompt: "hi", stream: true }],
  ["/v1/responses", { model: "m", input: "hi" }],
  ["/v1/responses", { model: "m", input: "hi", stream: true }],
  ["/v1/messages", { model: "m", messages, max_tokens: 9 }],
  ["/v1/messages", { model: "m", messages, max_tokens: 9, stream: true }],
  ["/v1/embeddings", { model: "m", input: "hi" }],
];

/** Ends an ask without a usage, or with one that is missing in all but name. */
function answerUncounted(agent: V2Agent, { ask, stream, endpoint }: AskFrame, usage?: object): void {
  if (stream) agent.say({ type: "delta", ask, data: TEXT_EVENT });
  const body = JSON.stringify(
    endpoint === "embeddings" ? { data: [] } : { choices: [{ message: { content: "hi" } }] },
  );
  agent.say({ type: "done", ask, status: 200, ...(!stream && { body }), ...(usage && { usage }) });
}

describe("a limit of one token", () => {
  describe.each([
    ["counts nothing", undefined],
    ["counts 0 tokens", { prompt_tokens: 0, completion_tokens: 0 }],
    ["counts what cannot be right", { prompt_tokens: 1e15, completion_tokens: -1 }],
  ])("with an upstream that %s", (_, uncounted) => {
    test.each(SURFACES)(
      "a user with a limit of one token gets one answer of %s with %p, and no second",
      async (path, body) => {
        const { server, agent } = await startModelScene({
          hello: ALL_ENDPOINTS,
          onAsk: (frame, self) => answerUncounted(self, frame, uncounted),
        });
        const caller = callerOf(server.url, await addLimitedUser(server.url, { tokens_per_day: 1 }));
        const statuses: number[] = [];
        for (let count = 0; count < 3; count++) {
          const response = await caller.post(path, body);
          statuses.push(response.status);
          await response.text();
        }
        expect(statuses).toEqual([200, 429, 429]);
        expect(agent.frames.filter(({ type }) => type === "ask").length).toBe(1);
      },
    );
  });

  test("a user with a limit of one token gets one answer of a v1 agent, and no second", async () => {
    const server = await startTestServer();
    const agent = await firefoxAgent(server.url);
    onTestFinished(agent.stop);
    const caller = callerOf(server.url, await addLimitedUser(server.url, { tokens_per_day: 1 }));
    expect([(await caller.ask()).status, (await caller.ask()).status]).toEqual([200, 429]);
  });

  test("a user who hung up stays above a limit of one token after a restart", async () => {
    const { server, agent } = await startModelScene();
    const user = await addLimitedUser(server.url, { tokens_per_day: 1 });
    const leaver = new AbortController();
    const asked = callerOf(server.url, user).chat({}, { signal: leaver.signal });
    await agent.next("ask");
    leaver.abort();
    await asked.catch(() => {});
    await agent.next("cancel");
    await server.stop();
    const next = await startTestServer([], { data: server.data });
    expect((await callerOf(next.url, user).chat()).status).toBe(429);
  });
});

describe("the tokens that running requests reserve", () => {
  test("a limit of 100 tokens lets in 50 requests at once only one at a time", async () => {
    const { agent, caller, left } = await startTokenScene(100);
    const asked = Array.from({ length: 50 }, (_, index) => [caller.ask, caller.chat][index % 2]?.());
    const answers: Response[] = [];
    for (const response of asked) void response?.then((got) => answers.push(got));
    await until(async () => answers.length === 49);
    for (const refused of answers) {
      expect(refused.status).toBe(429);
      expect(rateLimitHeaders(refused)).toMatchObject({
        "retry-after": "1",
        "retry-after-ms": "1000",
        "x-ratelimit-limit-tokens": "100",
        "x-ratelimit-remaining-tokens": "0",
      });
      expect(rateLimitHeaders(refused)).not.toHaveProperty("x-should-retry");
      expect(await refused.text()).toContain(
        "The limit is 100, and 0 were used. Running requests have reserved the rest. Please try again in 1s.",
      );
    }
    const frame = await agent.next("ask");
    answerChat(agent, frame.ask, frame.stream, { prompt_tokens: 20, completion_tokens: 10 });
    await until(async () => answers.length === 50);
    expect([answers.at(-1)?.status, await left()]).toEqual([200, 70]);
    expect(agent.frames.filter(({ type }) => type === "ask").length).toBe(1);
    const next = caller.chat();
    const second = await agent.next("ask");
    answerChat(agent, second.ask, second.stream, usage);
    expect([(await next).status, await left()]).toEqual([200, 0]);
    const [last] = [await caller.chat()];
    expect(rateLimitHeaders(last)).toMatchObject({ "retry-after": "60", "x-should-retry": "false" });
  });

  test.each([
    ["/api/ask", { content: "hi" }, 4096],
    ["/api/ask", { content: "hi", stream: true }, 4096],
    ["/v1/chat/completions", { model: "m", messages }, 4096],
    ["/v1/chat/completions", { model: "m", messages, max_tokens: 30, n: 2 }, 60],
    ["/v1/chat/completions", { model: "m", messages, stream: true, max_completion_tokens: 30 }, 30],
    ["/v1/completions", { model: "m", prompt: ["hi", "ho"], max_tokens: 30 }, 60],
    ["/v1/responses", { model: "m", input: "hi", max_output_tokens: 30 }, 30],
    ["/v1/messages", { model: "m", messages, max_tokens: 30 }, 30],
    ["/v1/embeddings", { model: "m", input: "hi" }, 0],
    ["/v1/messages/count_tokens", { model: "m", messages }, 0],
  ])("%s with %p reserves its input and %d output tokens until it ends", async (path, body, output) => {
    const { agent, caller, left } = await startTokenScene(10_000);
    const asked = caller.post(path, body);
    const frame = await agent.next("ask");
    expect(await left()).toBe(10_000 - output - Math.ceil(JSON.stringify(body).length / 4));
    answer(agent, frame);
    await (await asked).text();
    expect(await left()).toBe(10_000 - (path.endsWith("count_tokens") ? 0 : 110));
  });

  test("the headers of a streamed answer tell what is left besides its own reservation", async () => {
    const { agent, caller, left } = await startTokenScene(10_000);
    const asked = caller.chat({ stream: true, max_tokens: 100 });
    const frame = await agent.next("ask");
    answer(agent, frame);
    const response = await asked;
    expect(Number(rateLimitHeaders(response)["x-ratelimit-remaining-tokens"])).toBeWithin(9_800, 9_901);
    await response.text();
    expect(await left()).toBe(10_000 - 110);
  });

  test("a request that fails, is refused or is given up returns what it has reserved", async () => {
    const { agent, caller, left } = await startTokenScene(10_000);
    expect((await caller.chat({ model: "unheard of" })).status).toBe(404);
    expect((await caller.post("/api/ask", "not an object")).status).toBe(400);
    expect(await left()).toBe(10_000);
    const failing = caller.chat();
    const { ask } = await agent.next("ask");
    agent.say({ type: "fail", ask, error: { message: "broken" }, retryable: false, status: 500 });
    await (await failing).text();
    expect(await left()).toBe(10_000);
    const leaver = new AbortController();
    const leaving = caller.chat({}, { signal: leaver.signal }).catch(() => {});
    await agent.next("ask");
    leaver.abort();
    await leaving;
    await agent.next("cancel");
    await until(async () => (await left()) > 9_900);
  });

  const long = "four".repeat(4_000);
  test.each<[string, string, object, (first: { [id: string]: string }) => object]>([
    [
      "a conversation",
      "/api/ask",
      { content: long },
      ({ conversation_id }) => ({ content: "and?", conversation_id }),
    ],
    [
      "a translated response",
      "/v1/responses",
      { model: "m", input: long },
      ({ id }) => ({ model: "m", input: "and?", previous_response_id: id }),
    ],
  ])("the earlier turns of %s are reserved", async (_, path, first, next) => {
    let isFirst = true;
    const onAsk: V2AgentOptions["onAsk"] = ({ ask, stream }, agent) => {
      if (isFirst) answerChat(agent, ask, stream, { prompt_tokens: 1, completion_tokens: 1 });
      isFirst = false;
    };
    const { server, agent } = await startModelScene({ onAsk });
    const caller = callerOf(server.url, await addLimitedUser(server.url, { tokens_per_day: 20_000 }));
    const begun = (await (await caller.post(path, first)).json()) as { [id: string]: string };
    const leaver = new AbortController();
    const { signal } = leaver;
    let refused = 0;
    const asked = Array.from({ length: 10 }, async () => {
      const response = await caller.post(path, next(begun), { signal }).catch(() => undefined);
      if (response?.status === 429) refused++;
    });
    const asks = () => agent.frames.filter(({ type }) => type === "ask").length - 1;
    await until(() => asks() + refused === 10);
    // Each reserves 4,096 tokens for its answer, and 4,000 for the first question.
    expect([asks(), refused]).toEqual([3, 7]);
    leaver.abort();
    await Promise.all(asked);
  });

  test("a request is let in while anything is left, however much it may need itself", async () => {
    const { server } = await startModelScene(answering({ prompt_tokens: 1, completion_tokens: 1 }));
    const caller = callerOf(server.url, await addLimitedUser(server.url, { tokens_per_day: 4 }));
    const next = async () => (await caller.chat({ max_tokens: 1_000_000 })).status;
    expect([await next(), await next(), await next()]).toEqual([200, 200, 429]);
  });
});
