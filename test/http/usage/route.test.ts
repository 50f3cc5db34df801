import { Database } from "bun:sqlite";
import { afterEach, describe, expect, setSystemTime, test } from "bun:test";
import { join } from "node:path";
import { DAY_MS } from "../../../src/durations.ts";
import { ADMIN } from "../../../src/principal.ts";
import { answerChat } from "../../support/chat-agent.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY, startTestServer, type TestServer } from "../../support/server.ts";
import { openTestFile } from "../../support/store.ts";
import { until } from "../../support/until.ts";
import { addLimitedUser, callerOf } from "../../support/user-caller.ts";
import { type AskFrame, V2_HELLO, type V2AgentOptions } from "../../support/v2-agent.ts";

const NOON = Date.UTC(2026, 10, 23, 12);

afterEach(() => void setSystemTime());

async function usageOf(server: TestServer, query = "", path = "/admin/usage") {
  const response = await fetch(`${server.url}${path}?${query}`, { headers: { authorization: ADMIN_KEY } });
  const text = await response.text();
  return {
    response,
    text,
    body: response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : {},
  };
}

function rowsIn({ data }: TestServer): Record<string, unknown>[] {
  const database = new Database(join(data, "server.db"), { readonly: true });
  try {
    return database.query<Record<string, unknown>, []>("SELECT * FROM usage ORDER BY seq").all();
  } finally {
    database.close();
  }
}

const usage = { prompt_tokens: 7, completion_tokens: 3 };
const PARTS = { cached_tokens: 0, cache_creation_tokens: 0, reasoning_tokens: 0 };
const BYTES = { input_bytes: 0, output_bytes: 0 };
const NO_DETAILS = { ...PARTS, ...BYTES, audio_seconds: 0, images: 0, search_units: 0 };
const NO_TOKENS = { prompt_tokens: 0, completion_tokens: 0, ...NO_DETAILS };
const EMPTY = {
  ...{ failed: 0, ...NO_TOKENS, estimated: 0, uncounted: 0, duration_ms: 0 },
  ...{ cost: null, unpriced: 0, refused: 0, refusals: {} },
};

/** Answers with token counts, without, or not at all, as the model's name says. */
const byModel: V2AgentOptions = {
  hello: { ...V2_HELLO, models: [{ id: "m" }, { id: "silent about figures" }, { id: "broken" }] },
  onAsk: ({ ask, stream, body }, agent) => {
    const { model } = JSON.parse(body);
    const error = { message: "no" };
    if (model === "broken") agent.say({ type: "fail", ask, error, retryable: false, status: 500 });
    else answerChat(agent, ask, stream, model === "m" ? usage : undefined);
  },
};

describe("the rows", () => {
  test("there is one exact usage row for each admitted request, and none for a refused one", async () => {
    const { server, agent, post } = await startModelScene(byModel);
    const user = await addLimitedUser(server.url, { requests_per_minute: 6 });
    const caller = callerOf(server.url, user);
    const from = Date.now();
    const answers = [
      await caller.chat(),
      await caller.ask({ model: "silent about figures" }),
      await caller.chat({ model: "broken" }),
      await caller.chat({ model: "unheard of" }),
      await caller.ask({ content: 5 }),
      await caller.chat({ stream: true }),
      await caller.chat(),
      await post("chat/completions", { model: "m", messages: [] }),
    ];
    const until = Date.now();
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 500, 404, 400, 200, 429, 200]);
    await Promise.all(answers.map((answer) => answer.text()));
    await server.stop();

    const common = { user_id: user.user_id, agent: agent.ready.agent, tries: 1 };
    const chat = { ...common, surface: "chat/completions", status: 200, outcome: "ok" };
    const counted = { prompt_tokens: 7, completion_tokens: 3, tokens_estimated: 0 };
    const none = { prompt_tokens: null, completion_tokens: null, tokens_estimated: 0 };
    const [, uncounted] = agent.frames.filter(({ type }) => type === "ask") as AskFrame[];
    const input = Math.ceil((uncounted?.body.length ?? 0) / 4);
    const estimated = { prompt_tokens: input, completion_tokens: 1, tokens_estimated: 1 };
    const unused = ["cached_tokens", "cache_creation_tokens", "reasoning_tokens", "audio_ms", "images"];
    const names = [...unused, "search_units", "input_bytes", "output_bytes", "cost_nanos"];
    const noDetails = Object.fromEntries(names.map((name) => [name, null]));
    const failed = {
      ...{ status: 500, outcome: "agent_failed", first_byte_ms: null },
      ...{ error: "The agent could not answer: no", failures: expect.stringContaining(agent.ready.agent) },
    };
    const rows = rowsIn(server);
    expect(rows).toEqual(
      [
        { ...chat, ...counted, model: "m" },
        { ...chat, ...estimated, surface: "ask", model: "silent about figures" },
        { ...chat, ...none, ...failed, model: "broken" },
        { ...chat, ...counted, model: "m" },
        { ...chat, ...counted, model: "m", user_id: null },
      ].map((row, index) => ({
        seq: index + 1,
        ...noDetails,
        ...{ agent_name: "test agent", error: null, failures: null, is_affine: null },
        at: expect.any(Number),
        request_id: expect.stringMatching(/^req_/),
        queue_ms: expect.any(Number),
        first_byte_ms: expect.any(Number),
        duration_ms: expect.any(Number),
        ...row,
      })),
    );
    const taken = [0, 1, 2, 5, 7].map((index) => answers[index]?.headers.get("x-request-id"));
    expect(rows.map((row) => row["request_id"])).toEqual(taken);
    for (const { at } of rows) expect(at).toBeGreaterThanOrEqual(from);
    for (const { at } of rows) expect(at).toBeLessThanOrEqual(until);
  });

  test("usage rows are written behind, also for requests that wait or run when the server stops", async () => {
    const { server, agent } = await startModelScene({}, ["--drain", "100ms"]);
    const caller = callerOf(server.url, await addLimitedUser(server.url));
    const done = caller.chat();
    answerChat(agent, (await agent.next("ask")).ask, false);
    await done;
    await until(async () => rowsIn(server).length === 1);
    const running = [caller.chat(), caller.chat({ stream: true })];
    await agent.next("ask");
    answerChat(agent, (await agent.next("ask")).ask, true, usage);
    await running[1];
    await server.stop();
    expect(rowsIn(server).map(({ outcome, prompt_tokens }) => [outcome, prompt_tokens])).toEqual([
      ["ok", 7],
      ["ok", 7],
      ["draining", null],
    ]);
  });

  test("usage rows past their age are purged at the start, without delaying it", async () => {
    setSystemTime(NOON);
    const { data, stop } = await startTestServer();
    await stop();
    const store = openTestFile(join(data, "server.db"));
    const row = {
      ...{ requestId: "req", principal: ADMIN, agent: undefined, model: undefined },
      ...({ surface: "ask", outcome: "no_agent" } as const),
      agentName: undefined,
    };
    const figures = {
      upstreamStatus: undefined,
      tries: 0,
      queueMs: 1,
      firstByteMs: undefined,
      durationMs: 1,
    };
    for (let days = 8; days < 12; days++) {
      const at = NOON - days * DAY_MS;
      const tokens = { inputTokens: undefined, outputTokens: undefined, tokensEstimated: false };
      store.usage.record({ ...row, ...figures, ...tokens, at });
    }
    await store.close();
    const server = await startTestServer(["--usage-days", "9"], { data });
    await until(async () => rowsIn(server).length === 2);
    expect(rowsIn(server).map(({ at }) => at)).toEqual([NOON - 8 * DAY_MS, NOON - 9 * DAY_MS]);
  });
});

describe("GET /admin/usage", () => {
  /**
   * Ann sends two requests on the 21st and one on the 23rd, when Bob fails once and the administrator sends
   * one.
   */
  async function scene() {
    setSystemTime(NOON - 2 * DAY_MS);
    const { server, agent, post } = await startModelScene(byModel);
    const [ann, bob] = [await addLimitedUser(server.url), await addLimitedUser(server.url)];
    await callerOf(server.url, ann).chat();
    await callerOf(server.url, ann).chat({ model: "silent about figures" });
    setSystemTime(NOON);
    await callerOf(server.url, ann).chat();
    await callerOf(server.url, bob).chat({ model: "broken" });
    await post("chat/completions", { model: "m", messages: [] });
    return { server, agent, ann, bob };
  }

  /** No model has a price. */
  const sums = (asks: number, more: object = {}) => ({ asks, ...EMPTY, unpriced: asks, ...more });
  const counted = (asks: number) => ({ prompt_tokens: 7 * asks, completion_tokens: 3 * asks });
  /** The estimate of the request whose upstream counts nothing: a body of 48 bytes, and the answer `fine`. */
  const ESTIMATE = { prompt_tokens: 12, completion_tokens: 1, estimated: 1 };
  const more = (one: typeof ESTIMATE, other: ReturnType<typeof counted>) => ({
    prompt_tokens: one.prompt_tokens + other.prompt_tokens,
    completion_tokens: one.completion_tokens + other.completion_tokens,
    estimated: one.estimated,
  });
  const ANNS = more(ESTIMATE, counted(1));

  test("the usage is summed for the last 30 days by day, or by the groups in the query", async () => {
    const { server, agent, ann, bob } = await scene();
    const { body } = await usageOf(server);
    expect(body).toEqual({
      from: "2026-10-25T00:00:00.000Z",
      to: "2026-11-24T00:00:00.000Z",
      by: ["day"],
      truncated: false,
      currency: null,
      usage: [
        { day: "2026-11-21", ...sums(2, ANNS) },
        { day: "2026-11-23", ...sums(3, { ...counted(2), uncounted: 1, failed: 1 }) },
      ],
    });
    const by = async (query: string) => (await usageOf(server, query)).body.usage;
    const named = { agent: agent.ready.agent, agent_name: "test agent" };
    const [most, ...others] = await by("by=user");
    expect(most).toEqual({ user: ann.user_id, user_name: null, ...sums(3, more(ANNS, counted(1))) });
    // They have the same number of requests.
    expect(others).toHaveLength(2);
    expect(others).toContainEqual({
      user: bob.user_id,
      user_name: null,
      ...sums(1, { uncounted: 1, failed: 1 }),
    });
    expect(others).toContainEqual({ user: null, user_name: null, ...sums(1, counted(1)) });
    expect(await by("by=model,agent&from=2026-11-23")).toEqual([
      { model: "m", ...named, ...sums(2, counted(2)) },
      { model: "broken", ...named, ...sums(1, { uncounted: 1, failed: 1 }) },
    ]);
    expect(await by("by=")).toEqual([sums(5, { ...more(ANNS, counted(2)), uncounted: 1, failed: 1 })]);
    expect(await by("by=day&user=admin")).toEqual([{ day: "2026-11-23", ...sums(1, counted(1)) }]);
    expect(await by(`by=model&user=${bob.user_id}`)).toMatchObject([{ model: "broken" }]);
    expect(await by("user=nobody")).toEqual([]);
    expect((await usageOf(server, "by=user&limit=2")).body).toMatchObject({
      truncated: true,
      usage: [{}, {}],
    });
    expect((await usageOf(server, "by=user&limit=3")).body).toMatchObject({ truncated: false });
  });

  test("the end of the usage period includes a whole date, and excludes an exact time", async () => {
    const { server } = await scene();
    const asks = async (query: string) => (await usageOf(server, `by=&${query}`)).body.usage[0]?.asks ?? 0;
    expect(await asks("from=2026-11-21&to=2026-11-21")).toBe(2);
    expect(await asks("from=2026-11-22&to=2026-11-22")).toBe(0);
    expect(await asks("from=2026-11-23T12:00:00Z")).toBe(3);
    expect(await asks("from=2026-11-23T12:00:00.001Z")).toBe(0);
    expect(await asks("to=2026-11-23T12:00:00Z")).toBe(2);
    expect(await asks("from=2026-11-23T14:00:00%2B02:00")).toBe(3);
    expect(await asks("from=2026-11-23T14:00:00+02:00")).toBe(3);
    expect((await usageOf(server, "to=2026-03-01")).body).toMatchObject({
      from: "2026-01-31T00:00:00.000Z",
      to: "2026-03-02T00:00:00.000Z",
    });
  });

  test.each([
    ["from=yesterday", "from"],
    ["from=2026-02-30", "from"],
    ["to=2026-11-23T12:00:00", "to"],
    ["from=2026-11-23&to=2026-11-22", "to"],
    ["by=user,colour", "by"],
    ["format=xml", "format"],
    ["limit=0", "limit"],
    ["limit=10001", "limit"],
    ["limit=many", "limit"],
  ])("the usage query %s is refused with the name of the field", async (query, field) => {
    const server = await startTestServer();
    const { response, body } = await usageOf(server, query);
    expect([response.status, body]).toEqual([
      400,
      { error: "Invalid request", hint: expect.stringMatching(new RegExp(`^\`${field}[.\`]`)) },
    ]);
  });

  test("the usage of all and of one user is for the administrator, and everybody can read their own", async () => {
    const { server, ann, bob } = await scene();
    const caller = callerOf(server.url, ann);
    for (const path of ["/admin/usage", `/admin/users/${ann.user_id}/usage`]) {
      expect((await caller.get(path)).status).toBe(401);
      expect((await fetch(`${server.url}${path}?admin_key=${ADMIN_KEY}`)).status).toBe(401);
    }
    const { body } = await usageOf(server, "by=model", `/admin/users/${ann.user_id}/usage`);
    const anns = [
      { model: "m", ...sums(2, counted(2)) },
      { model: "silent about figures", ...sums(1, ESTIMATE) },
    ];
    expect(body.usage).toEqual(anns);

    const own = async (query: string) => {
      const response = await caller.get(`/api/usage?${query}`);
      return { status: response.status, body: (await response.json()) as { usage: unknown; hint: unknown } };
    };
    expect((await own(`by=model&user=${bob.user_id}`)).body.usage).toEqual(anns);
    for (const group of ["user", "agent"])
      expect(await own(`by=${group}`)).toMatchObject({
        status: 400,
        body: { hint: "`by` is not valid: give some of: model, day." },
      });
    expect((await usageOf(server, "by=", "/api/usage")).body.usage).toEqual([sums(1, counted(1))]);
    expect((await fetch(`${server.url}/api/usage`)).status).toBe(401);
  });
});
