import { afterEach, describe, expect, setSystemTime, test } from "bun:test";
import OpenAI from "openai";
import { answerChat, answering } from "../../support/chat-agent.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";
import { addLimitedUser, callerOf, rateLimitHeaders } from "../../support/user-caller.ts";

afterEach(() => {
  setSystemTime();
});

/** A request with this usage costs 0.11. */
const PRICES = JSON.stringify({ currency: "EUR", models: { m: { input: 1_000, output: 1_000 } } });
const usage = { prompt_tokens: 60, completion_tokens: 50 };
const NOON = Date.UTC(2026, 10, 23, 12);

const startBudgetScene = () => startModelScene(answering(usage), ["--prices", PRICES]);

interface AdminAnswer {
  currency?: string;
  requests?: { cost: number | null }[];
  groups?: unknown;
}

async function admin(url: string, path: string, init: RequestInit = {}): Promise<AdminAnswer> {
  const response = await fetch(`${url}${path}`, { ...init, headers: { authorization: ADMIN_KEY } });
  return (await response.json()) as AdminAnswer;
}

describe("a budget", () => {
  test("a budget of a day lets a request in while something is left, and refuses the next until midnight", async () => {
    setSystemTime(NOON);
    const { server } = await startBudgetScene();
    const caller = callerOf(server.url, await addLimitedUser(server.url, { budget_day: 0.15 }));
    const first = await caller.chat({ max_tokens: 1 });
    expect([first.status, rateLimitHeaders(first)["x-ratelimit-limit-budget-day"]]).toEqual([200, "0.15"]);
    expect((await caller.chat({ max_tokens: 1 })).status).toBe(200);
    const refused = await caller.chat();
    expect(refused.status).toBe(429);
    expect(rateLimitHeaders(refused)).toMatchObject({
      ...{ "retry-after": "60", "retry-after-ms": "60000", "x-should-retry": "false" },
      ...{ "x-ratelimit-limit-budget-day": "0.15", "x-ratelimit-remaining-budget-day": "0" },
    });
    expect(await refused.json()).toMatchObject({
      error: {
        type: "insufficient_quota",
        code: "insufficient_quota",
        message: expect.stringMatching(
          /^You exceeded your budget of today\. The budget of a day is 0\.15 EUR, and 0\.22 EUR were spent\. It starts again at 2026-11-24T00:00:00Z\. Please try again in 1\dh/,
        ),
      },
    });
    setSystemTime(Date.UTC(2026, 10, 24));
    expect((await caller.chat()).status).toBe(200);
  });

  test("a budget of a month starts again on the first day of the next one, in UTC", async () => {
    setSystemTime(Date.UTC(2026, 10, 30, 23, 59, 30));
    const { server } = await startBudgetScene();
    const caller = callerOf(
      server.url,
      await addLimitedUser(server.url, { budget_month: 0.1, budget_day: 9 }),
    );
    expect((await caller.chat()).status).toBe(200);
    const refused = await caller.chat();
    expect(rateLimitHeaders(refused)).not.toHaveProperty("x-should-retry");
    expect(Number(rateLimitHeaders(refused)["retry-after"])).toBeLessThanOrEqual(30);
    expect(await refused.text()).toContain("It starts again at 2026-12-01T00:00:00Z.");
    setSystemTime(Date.UTC(2026, 11, 1));
    expect((await caller.chat()).status).toBe(200);
  });

  test("each API has the error in its own shape", async () => {
    const { server } = await startBudgetScene();
    const caller = callerOf(server.url, await addLimitedUser(server.url, { budget_month: 0.1 }));
    await caller.chat();
    const messages = [{ role: "user", content: "hi" }];
    const text = expect.stringContaining(
      "You exceeded your budget of this month. The budget of a month is 0.1 EUR",
    );
    const answers = [
      [
        "/v1/messages",
        { model: "m", messages, max_tokens: 9 },
        { type: "error", error: { type: "rate_limit_error", message: text } },
      ],
      ["/api/chat", { model: "m", messages }, { error: text }],
      [
        "/v1/responses",
        { model: "m", input: "hi" },
        { error: { code: "insufficient_quota", message: text } },
      ],
      [
        "/api/ask",
        { content: "hi" },
        { error: "You exceeded your budget of this month", hint: expect.stringContaining("0.1 EUR") },
      ],
    ] as const;
    for (const [path, body, shape] of answers) {
      const response = await caller.post(path, body);
      expect([path, response.status]).toEqual([path, 429]);
      expect((await response.json()) as object).toEqual(expect.objectContaining(deep(shape)));
    }
  });

  test("requests that run at once reserve what they may cost, and one is let in at a time", async () => {
    const { server, agent } = await startModelScene({}, ["--prices", PRICES]);
    const caller = callerOf(server.url, await addLimitedUser(server.url, { budget_month: 1 }));
    const asked = Array.from({ length: 20 }, () => caller.chat());
    const answers: Response[] = [];
    for (const response of asked) void response.then((got) => answers.push(got));
    await until(async () => answers.length === 19);
    expect(answers.map(({ status }) => status)).toEqual(Array(19).fill(429));
    expect(rateLimitHeaders(answers[0] as Response)).toMatchObject({ "retry-after": "1" });
    // Nothing was spent yet: a program must not take this for a budget that is used up.
    expect(rateLimitHeaders(answers[0] as Response)).not.toHaveProperty("x-should-retry");
    expect((await answers[0]?.json()) as object).toMatchObject({
      error: {
        type: "rate_limit_error",
        code: "rate_limit_exceeded",
        message: expect.stringMatching(
          /^Your running requests have reserved the rest of your budget\. The budget of a month is 1 EUR, and 0 EUR were spent\. .* Please try again in 1s\.$/,
        ),
      },
    });
    answerChat(agent, (await agent.next("ask")).ask, false);
    await until(async () => answers.length === 20);
    const session = (await (await caller.get("/api/session")).json()) as Session;
    expect(session.budgets.month.remaining).toBeGreaterThan(0.9);
  });

  test.each([
    ["names no model", "/api/ask", { content: "hi" }],
    ["names it in the path", "/openai/deployments/m/chat/completions", { messages: [] }],
    ["may be answered by a dearer fallback", "/v1/chat/completions", { model: "gone", messages: [] }],
    ["lists a dearer model", "/v1/chat/completions", { model: "gone2", models: ["m"], messages: [] }],
  ])("a request that %s reserves the price of the model that may answer", async (_, path, body) => {
    const models = { m: { output: 1_000 }, gone: { output: 0.001 }, gone2: { output: 0.001 } };
    const prices = JSON.stringify({ currency: "EUR", models });
    const { server, agent } = await startModelScene({}, ["--prices", prices, "--fallback", "gone=m"]);
    const caller = callerOf(server.url, await addLimitedUser(server.url, { budget_month: 1 }));
    const asked = Array.from({ length: 5 }, () => caller.post(path, body));
    const answers: Response[] = [];
    for (const response of asked) void response.then((got) => answers.push(got));
    await until(async () => answers.length === 4);
    expect(answers.map(({ status }) => status)).toEqual(Array(4).fill(429));
    answerChat(agent, (await agent.next("ask")).ask, false);
    await until(async () => answers.length === 5);
    expect(answers.at(-1)?.status).toBe(200);
  });

  test("the costs of the day and of the month survive a restart", async () => {
    setSystemTime(Date.UTC(2026, 10, 22, 12));
    const { server } = await startBudgetScene();
    const user = await addLimitedUser(server.url, { budget_day: 5, budget_month: 5 });
    await callerOf(server.url, user).chat();
    setSystemTime(NOON);
    await callerOf(server.url, user).chat();
    const left = async (url: string) => {
      const { currency, budgets } = (await callerOf(url, user)
        .get("/api/session")
        .then((one) => one.json())) as Session;
      return [currency, budgets.day.remaining, budgets.month.remaining, budgets.month.resets_at.slice(0, 10)];
    };
    const known = ["EUR", 4.89, 4.78, "2026-12-01"];
    expect(await left(server.url)).toEqual(known);
    await server.stop();
    const next = await startTestServer(["--prices", PRICES], { data: server.data });
    expect(await left(next.url)).toEqual(known);
  });
});

interface Session {
  currency: string;
  budgets: Record<"day" | "month", { limit: number; remaining: number; resets_at: string }>;
}

/** Lets each object have further fields. */
function deep(shape: object): object {
  const entries = Object.entries(shape).map(([name, value]) => {
    const isPlain = typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype;
    return [name, isPlain ? expect.objectContaining(deep(value)) : value];
  });
  return Object.fromEntries(entries);
}

describe("the cost of requests", () => {
  test("usage, requests and traffic have the cost by the prices when each request ended", async () => {
    setSystemTime(NOON + 60_000);
    const { server } = await startBudgetScene();
    const user = await addLimitedUser(server.url);
    const caller = callerOf(server.url, user);
    await caller.chat();
    await admin(server.url, "/admin/settings", {
      method: "PATCH",
      body: JSON.stringify({ prices: { currency: "EUR", models: { "m*": { input: 100 } } } }),
    });
    await caller.chat();
    await admin(server.url, "/admin/settings", {
      method: "PATCH",
      body: JSON.stringify({ prices: { currency: "EUR", models: { other: { input: 100 } } } }),
    });
    await caller.chat();
    const byModel = await admin(server.url, "/admin/usage?by=model");
    expect(byModel).toMatchObject({
      currency: "EUR",
      usage: [{ model: "m", asks: 3, cost: 0.116, unpriced: 1 }],
    });
    const { requests, currency } = await admin(server.url, "/admin/requests");
    expect([currency, requests?.map(({ cost }) => cost)]).toEqual(["EUR", [null, 0.006, 0.11]]);
    setSystemTime(NOON + 180_000);
    expect((await admin(server.url, "/admin/traffic?by=user")).groups).toMatchObject([
      { name: user.user_id, cost: 0.116, unpriced: 1 },
    ]);
    expect(await admin(server.url, "/admin/traffic?surface=chat%2Fcompletions&model=m")).toMatchObject({
      total: { cost: 0.116, unpriced: 1 },
    });
    expect(await (await caller.get("/api/usage?by=&format=csv")).text()).toContain(",cost,unpriced,");
    expect(server.logged()).toContain('"cost":0.11');
  });

  test("a server without prices has no currency, and no request has a cost", async () => {
    const { server } = await startModelScene(answering(usage));
    const caller = callerOf(server.url, await addLimitedUser(server.url, { budget_day: 0.000001 }));
    await caller.chat();
    expect((await caller.chat()).status).toBe(200);
    expect(await (await caller.get("/api/usage?by=")).json()).toMatchObject({
      currency: null,
      usage: [{ asks: 2, cost: null, unpriced: 2 }],
    });
  });

  test("refusals by a budget are counted by their reason", async () => {
    const { server } = await startBudgetScene();
    const caller = callerOf(server.url, await addLimitedUser(server.url, { budget_day: 0.1 }));
    for (let count = 0; count < 3; count++) await caller.chat();
    expect(await (await caller.get("/api/usage?by=")).json()).toMatchObject({
      usage: [{ asks: 1, cost: 0.11, refused: 2, refusals: { limit_budget_day: 2 } }],
    });
  });
});

test("the openai package reads insufficient_quota, and does not retry", async () => {
  const { server } = await startBudgetScene();
  const { token } = await addLimitedUser(server.url, { budget_month: 0.1 });
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: token, maxRetries: 3 });
  const create = () =>
    client.chat.completions.create({ model: "m", messages: [{ role: "user", content: "hi" }] });
  await create();
  const error = await create().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(OpenAI.RateLimitError);
  const { status, code, type } = error as InstanceType<typeof OpenAI.RateLimitError>;
  expect([status, code, type]).toEqual([429, "insufficient_quota", "insufficient_quota"]);
  expect(server.logged().split('"error":"limit_budget_month"').length - 1).toBe(1);
});
