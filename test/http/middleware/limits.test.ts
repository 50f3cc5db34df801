import { afterEach, describe, expect, setSystemTime, test } from "bun:test";
import { answerChat, answering } from "../../support/chat-agent.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { chooseSeed, createRandom } from "../../support/random.ts";
import { startTestServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";
import { addLimitedUser, callerOf, changeLimits, rateLimitHeaders } from "../../support/user-caller.ts";
import { chunk, V2_HELLO } from "../../support/v2-agent.ts";

afterEach(() => {
  setSystemTime();
});

describe("requests per minute", () => {
  test("exactly 100 of 256 requests by 64 callers pass a limit of 100, over all routes together", async () => {
    const { server, agent } = await startModelScene(answering());
    const caller = callerOf(server.url, await addLimitedUser(server.url, { requests_per_minute: 100 }));
    const kinds = [
      () => caller.ask(),
      () => caller.ask({ stream: true }),
      () => caller.chat(),
      () => caller.chat({ stream: true }),
      () => caller.post("/v1/responses", { model: "m", input: "hi" }),
      () =>
        caller.post("/v1/messages", {
          model: "m",
          max_tokens: 5,
          messages: [{ role: "user", content: "hi" }],
        }),
    ];
    const statuses: number[] = [];
    await Promise.all(
      Array.from({ length: 64 }, async (_, index) => {
        for (let round = 0; round < 4; round++) {
          const response = await (kinds[(index + round) % kinds.length] ?? caller.ask)();
          statuses.push(response.status);
          await response.text();
        }
      }),
    );
    expect(statuses.filter((status) => status === 200).length).toBe(100);
    expect(statuses.filter((status) => status === 429).length).toBe(156);
    expect(agent.frames.filter(({ type }) => type === "ask").length).toBe(100);
  });

  test("a refusal has the error style of its route, and says when to try again", async () => {
    const { server } = await startModelScene(answering());
    const caller = callerOf(server.url, await addLimitedUser(server.url, { requests_per_minute: 1 }));
    expect((await caller.chat()).status).toBe(200);
    const plain = await caller.ask();
    expect(rateLimitHeaders(plain)).toEqual({
      "retry-after": expect.stringMatching(/^([1-9]|[1-5]\d|60)$/),
      "retry-after-ms": expect.stringMatching(/^\d{5}$/),
      "x-ratelimit-limit-requests": "1",
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": expect.stringMatching(/^(1m0s|[\d.]+s)$/),
    });
    const wait = /^The limit is 1\. Please try again in [\d.]+s\.$/;
    expect(await plain.json()).toEqual({
      error: "Rate limit reached for requests per minute",
      hint: expect.stringMatching(wait),
    });
    expect(await (await caller.chat({ stream: true })).json()).toMatchObject({
      error: {
        type: "rate_limit_error",
        code: "rate_limit_exceeded",
        message: expect.stringMatching(/per minute\. The limit is 1\. Please try again in [\d.]+s\.$/),
      },
    });
    const messages = await caller.post("/v1/messages", { model: "m", messages: [] });
    expect([messages.status, await messages.json()]).toMatchObject([
      429,
      { type: "error", error: { type: "rate_limit_error" } },
    ]);
  });

  test("every admitted request counts, whatever becomes of it, and every answer tells what is left", async () => {
    const { server } = await startModelScene(answering());
    const caller = callerOf(server.url, await addLimitedUser(server.url, { requests_per_minute: 10 }));
    const answers = [
      await caller.chat(),
      await caller.chat({ stream: true }),
      await caller.post("/api/ask", "not an object"),
      await caller.chat({ model: "unheard of" }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 400, 404]);
    expect(answers.map(({ headers }) => headers.get("x-ratelimit-remaining-requests"))).toEqual([
      ...["9", "8", "7", "6"],
    ]);
    expect(answers.map(({ headers }) => headers.get("access-control-expose-headers"))).toEqual(
      Array(4).fill(expect.stringContaining("x-ratelimit-remaining-requests")),
    );
  });

  test("a user without limits and the administrator get no rate limit headers", async () => {
    const { server, post } = await startModelScene(answering());
    const caller = callerOf(server.url, await addLimitedUser(server.url));
    expect(rateLimitHeaders(await caller.chat())).toEqual({});
    expect(rateLimitHeaders(await post("chat/completions", { model: "m" }))).toEqual({});
  });

  test("changed limits count from the next request on", async () => {
    const { server } = await startModelScene(answering());
    const user = await addLimitedUser(server.url, { requests_per_minute: 1 });
    const caller = callerOf(server.url, user);
    const next = async () => (await caller.chat()).status;
    expect([await next(), await next()]).toEqual([200, 429]);
    await changeLimits(server.url, user, { requests_per_minute: 2 });
    expect([await next(), await next()]).toEqual([200, 429]);
    await changeLimits(server.url, user, { requests_per_minute: null });
    expect([await next(), await next()]).toEqual([200, 200]);
  });
});

describe("parallel asks", () => {
  test("a streamed answer counts as parallel until it ends or the caller hangs up", async () => {
    const { server, agent } = await startModelScene();
    const caller = callerOf(server.url, await addLimitedUser(server.url, { max_parallel: 3 }));
    const leaver = new AbortController();
    const taken = async (response: Promise<Response>) => ({ response, frame: await agent.next("ask") });
    const begin = ({ frame: { ask } }: { frame: { ask: string } }) =>
      agent.say({ type: "delta", ask, data: JSON.stringify({ choices: [{ delta: { content: "a" } }] }) });
    const first = await taken(caller.chat({ stream: true }, { signal: leaver.signal }));
    const second = await taken(caller.ask({ stream: true }));
    const third = await taken(caller.chat());
    for (const streamed of [first, second]) {
      begin(streamed);
      expect((await streamed.response).status).toBe(200);
    }
    const refused = await caller.ask();
    expect([refused.status, refused.headers.get("retry-after"), await refused.json()]).toEqual([
      429,
      "1",
      { error: "Rate limit reached for parallel requests", hint: "The limit is 3. Please try again in 1s." },
    ]);

    leaver.abort();
    await agent.next("cancel");
    const fourth = await taken(caller.chat());
    expect((await caller.chat()).status).toBe(429);

    for (const { frame } of [second, third, fourth]) answerChat(agent, frame.ask, frame.stream);
    expect((await (await second.response).text()).endsWith("data: [DONE]\n\n")).toBe(true);
    expect([(await third.response).status, (await fourth.response).status]).toEqual([200, 200]);
    const more = [caller.chat(), caller.chat(), caller.chat()];
    for (let count = 0; count < 3; count++) answerChat(agent, (await agent.next("ask")).ask, false);
    expect((await Promise.all(more)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test("a caller who hangs up in the middle of the body frees their place", async () => {
    const { server } = await startModelScene(answering());
    const user = await addLimitedUser(server.url, { max_parallel: 1 });
    const caller = callerOf(server.url, user);
    const half = await Bun.connect({
      hostname: "127.0.0.1",
      port: Number(new URL(server.url).port),
      socket: { data() {} },
    });
    half.write(
      `POST /api/ask HTTP/1.1\r\nHost: x\r\nAuthorization: ${user.token}\r\nContent-Length: 1000\r\n\r\n{"content":`,
    );
    half.flush();
    await until(async () => (await caller.chat()).status === 429);
    half.terminate();
    await until(async () => (await caller.chat()).status === 200);
  });

  const seed = chooseSeed();
  test(`no parallel place is lost, whatever becomes of 300 requests (SEED=${seed})`, async () => {
    const random = createRandom(seed);
    const hold = { on: false };
    const { server, agent } = await startModelScene(
      {
        hello: { ...V2_HELLO, slots: 64 },
        onAsk: ({ ask, stream }, self) => {
          if (hold.on) return self.say({ type: "delta", ask, data: chunk("held") });
          const dice = random.below(24);
          const error = { message: "broken" };
          if (dice === 0) return;
          if (dice < 5) return self.say({ type: "fail", ask, error, retryable: false, status: 500 });
          if (dice < 9) return self.say({ type: "done", ask, status: 418, body: "{}" });
          if (dice < 13) self.say({ type: "delta", ask, data: "not JSON" });
          answerChat(self, ask, stream);
        },
      },
      ["--first-byte", "1s", "--whole-answer", "1s", "--agent-failures-max", "0"],
    );
    const user = await addLimitedUser(server.url, { max_parallel: 7 });
    const caller = callerOf(server.url, user);
    const bodies = [
      {},
      { stream: true },
      { model: "unheard of" },
      { conversation_id: "nobody's" },
      { content: 5 },
    ];
    const seen = new Map<number, number>();
    const oneAsk = async () => {
      const how = random.pick([caller.ask, caller.chat]);
      const patience = random.below(4) === 0 ? { signal: AbortSignal.timeout(random.below(20)) } : {};
      const response = await how(random.pick(bodies), patience);
      seen.set(response.status, (seen.get(response.status) ?? 0) + 1);
      await response.text();
    };
    await Promise.all(
      Array.from({ length: 12 }, async () => {
        for (let count = 0; count < 25; count++)
          await oneAsk().catch(() => seen.set(0, (seen.get(0) ?? 0) + 1));
      }),
    );
    for (const status of [0, 200, 400, 404, 429]) expect(seen.get(status), `${status}`).toBeGreaterThan(0);

    hold.on = true;
    const before = agent.frames.length;
    const held = Array.from({ length: 12 }, () => caller.chat({ stream: true }));
    const arrived = () => agent.frames.slice(before).filter(({ type }) => type === "ask");
    await until(async () => arrived().length >= 7);
    const refused = await Promise.all(Array.from({ length: 3 }, async () => (await caller.chat()).status));
    expect(refused).toEqual([429, 429, 429]);
    for (const frame of arrived()) if (frame.type === "ask") answerChat(agent, frame.ask, true);
    const statuses = await Promise.all(held.map(async (asked) => (await asked).status));
    expect(statuses.toSorted()).toEqual([...Array(7).fill(200), ...Array(5).fill(429)]);
  });
});

describe("tokens per day", () => {
  const usage = { prompt_tokens: 60, completion_tokens: 50 };

  test("tokens that the upstream counted for whole and streamed answers use up the limit of the day", async () => {
    setSystemTime(Date.UTC(2026, 10, 23, 17, 30));
    const { server } = await startModelScene(answering(usage));
    const user = await addLimitedUser(server.url, { tokens_per_day: 300 });
    const caller = callerOf(server.url, user);
    const left = ({ headers }: Response) => headers.get("x-ratelimit-remaining-tokens");
    await (await caller.chat()).text();
    await (await caller.chat({ stream: true })).text();
    const last = await caller.ask();
    // The last request began with 80 tokens left, and ended with 30 too many.
    expect([last.status, left(last)]).toEqual([200, "0"]);
    const refused = await caller.chat();
    expect(rateLimitHeaders(refused)).toEqual({
      "retry-after": "60",
      "retry-after-ms": "60000",
      "x-should-retry": "false",
      "x-ratelimit-limit-tokens": "300",
      "x-ratelimit-remaining-tokens": "0",
      "x-ratelimit-reset-tokens": "6h30m0s",
    });
    expect(await refused.json()).toMatchObject({
      error: {
        code: "rate_limit_exceeded",
        message:
          "Rate limit reached for tokens per day. The limit is 300, and 330 were used. Please try again in 6h30m0s.",
      },
    });

    setSystemTime(Date.UTC(2026, 10, 23, 23, 59, 45));
    expect(rateLimitHeaders(await caller.chat())).toMatchObject({
      "retry-after": "15",
      "retry-after-ms": "15000",
    });
    expect((await caller.chat()).headers.has("x-should-retry")).toBe(false);
    setSystemTime(Date.UTC(2026, 10, 24));
    const next = await caller.chat();
    expect([next.status, left(next)]).toEqual([200, "190"]);
  });

  test("tokens used before a restart count after it, and those of the day before do not", async () => {
    setSystemTime(Date.UTC(2026, 10, 22, 23, 59, 59));
    const first = await startModelScene(answering(usage));
    const user = await addLimitedUser(first.server.url, { tokens_per_day: 200 });
    await callerOf(first.server.url, user).chat();
    setSystemTime(Date.UTC(2026, 10, 23, 0, 0, 1));
    const left = async (url: string) =>
      (await callerOf(url, user).get("/api/usage")).headers.get("x-ratelimit-remaining-tokens");
    await callerOf(first.server.url, user).chat();
    expect(await left(first.server.url)).toBe("90");
    await first.server.stop();
    const second = await startTestServer([], { data: first.server.data });
    expect(await left(second.url)).toBe("90");
  });
});
