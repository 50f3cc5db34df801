import { describe, expect, onTestFinished, setSystemTime, test } from "bun:test";
import { LIVE_CLOSE, LiveFrame, Overview } from "../../../src/http/live/schema.ts";
import { answering } from "../../support/chat-agent.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { cookieFor, SAME_ORIGIN } from "../../support/session.ts";
import { until } from "../../support/until.ts";

const KEY = { authorization: ADMIN_KEY };

type OverviewFrame = Extract<LiveFrame, { type: "overview" }>;
type SecondFrame = Extract<LiveFrame, { type: "second" }>;

interface View {
  frames: LiveFrame[];
  /** Resolves with the frame of this number, counted from 0. */
  frame(index: number): Promise<LiveFrame>;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  ended: Promise<{ code: number; reason: string }>;
  close(): void;
}

/** Opens a live view as a browser or a program does. Rejects if it is refused. */
async function look(url: string, headers: Record<string, string> = KEY): Promise<View> {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/admin/live`, { headers });
  const ended = Promise.withResolvers<{ code: number; reason: string }>();
  const frames: LiveFrame[] = [];
  let came = Promise.withResolvers<void>();
  socket.onclose = ({ code, reason }) => ended.resolve({ code, reason });
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(String(data));
    expect(LiveFrame.parse(frame)).toEqual(frame);
    frames.push(frame);
    came.resolve();
    came = Promise.withResolvers();
  };
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error("refused"));
  });
  onTestFinished(() => socket.close());
  return {
    frames,
    async frame(index) {
      while (frames.length <= index) await came.promise;
      return frames[index] as LiveFrame;
    },
    send: (data) => socket.send(data),
    ended: ended.promise,
    close: () => socket.close(),
  };
}

const overviewOf = async (url: string) =>
  Overview.parse(await (await fetch(`${url}/admin/overview`, { headers: KEY })).json());

test("the overview shows the administrator what happens, and nothing of what was asked", async () => {
  const { server, post, agent } = await startModelScene(
    answering({ prompt_tokens: 3, completion_tokens: 2 }),
  );
  const added = await fetch(`${server.url}/admin/users/add`, {
    ...{ method: "POST", headers: KEY, body: '{"name":"Ann"}' },
  });
  const { token, user_id } = (await added.json()) as { token: string; user_id: string };
  const messages = [{ role: "user", content: "a secret question" }];
  await post("chat/completions", { model: "m", messages }, { headers: { authorization: token } });
  await post("chat/completions", { model: "m", messages, stream: true }).then((response) => response.text());
  const offer = async (...ids: string[]) => {
    agent.say({ type: "update", models: ids.map((id) => ({ id })) });
    await until(async () => (await overviewOf(server.url)).models.length === ids.length);
  };
  await offer("m", "none");
  await offer("m");
  await fetch(`${server.url}/api/ask`, {
    method: "POST",
    headers: KEY,
    body: '{"content":"hi","model":"none"}',
  });
  const overview = await overviewOf(server.url);
  expect(overview).toMatchObject({
    ...{ agents: { connected: 1, accepting: 1 }, slots: { total: 8, in_use: 0 } },
    ...{ queue: { length: 0, oldest_wait_ms: null }, models: [{ id: "m", agents: 1 }] },
    ready: { status: "ready", reasons: [] },
  });
  expect(overview.asks.map(({ surface, outcome, user }) => [surface, outcome, user])).toEqual([
    ["ask", "no_agent", null],
    ["chat/completions", "ok", null],
    ["chat/completions", "ok", { user_id, name: "Ann" }],
  ]);
  expect(overview.asks[2]).toMatchObject({
    ...{ agent: { id: agent.ready.agent, name: "test agent" }, model: "m", upstream_status: 200 },
    ...{ prompt_tokens: 3, completion_tokens: 2 },
  });
  expect(JSON.stringify(overview)).not.toMatch(/secret question|fine/);
  const sum = (values: (number | null)[]) => values.reduce<number>((all, value) => all + (value ?? 0), 0);
  const sampled = async () => (await overviewOf(server.url)).samples;
  await until(async () => sum((await sampled()).ok) + sum((await sampled()).failed) === 3);
  const { asks, ok, failed, deltas, agents } = await sampled();
  expect([sum(asks), sum(ok), sum(failed), sum(deltas), agents.at(-1)]).toEqual([3, 2, 1, 2, 1]);
});

describe("a live view", () => {
  test("a live view begins with the overview and then sends what is new each second", async () => {
    const { server, post } = await startModelScene(answering());
    await post("chat/completions", { model: "m", messages: [] });
    const view = await look(server.url);
    const first = (await view.frame(0)) as OverviewFrame;
    expect(first.type).toBe("overview");
    await post("chat/completions", { model: "m", messages: [] });
    while (!view.frames.some((frame) => frame.type === "second" && frame.asks.length > 0))
      await view.frame(view.frames.length);
    const seconds = view.frames.slice(1) as SecondFrame[];
    expect(seconds.every(({ type }) => type === "second")).toBe(true);
    const sent = [...first.asks, ...seconds.flatMap(({ asks }) => asks)].map(({ request_id }) => request_id);
    expect([sent.length, new Set(sent).size]).toEqual([2, 2]);
    const asked = seconds.reduce((all, { sample }) => all + sample.asks, 0);
    expect(asked + first.samples.asks.reduce((all, asks) => all + asks, 0)).toBe(2);
    const last = seconds.at(-1);
    expect(last).toMatchObject({ agents: { connected: 1 }, slots: { total: 8 }, ready: { status: "ready" } });
    expect(Math.abs(Date.parse(last?.sample.at ?? "") - Date.now())).toBeLessThan(60_000);
  });

  test("a live view lists the models when they change, and not otherwise", async () => {
    const { server, agent } = await startModelScene(answering());
    const view = await look(server.url);
    await view.frame(1);
    const before = view.frames.length;
    agent.say({ type: "update", models: [{ id: "m" }, { id: "n" }] });
    const two = [
      { id: "m", agents: 1 },
      { id: "n", agents: 1 },
    ];
    const last = async () => (await view.frame(view.frames.length)) as SecondFrame;
    let frame = await last();
    while (!frame.models) frame = await last();
    expect(frame.models).toEqual(two);
    expect(((await last()) as SecondFrame).models).toBeUndefined();
    const earlier = view.frames.slice(1, before) as SecondFrame[];
    expect(earlier.map(({ models }) => models)).toEqual(earlier.map(() => undefined));
  });

  test("a live view is not counted as an agent and takes no agent's place", async () => {
    const { server } = await startModelScene(answering(), ["--agents-max", "1"]);
    const views = [await look(server.url), await look(server.url)];
    await Promise.all(views.map((view) => view.frame(1)));
    expect((await overviewOf(server.url)).agents.connected).toBe(1);
    for (const view of views) view.close();
    await Promise.all(views.map((view) => view.ended));
    expect((await overviewOf(server.url)).agents.connected).toBe(1);
    expect(server.logged()).not.toContain("agent_left");
  });

  test("a live view closes as soon as the session that opened it has ended, and others stay open", async () => {
    const { url } = await startTestServer();
    const cookie = await cookieFor(url, ADMIN_KEY);
    const other = await cookieFor(url, ADMIN_KEY);
    const view = await look(url, { cookie, ...SAME_ORIGIN });
    const staying = await look(url, { cookie: other, ...SAME_ORIGIN });
    await Promise.all([view.frame(0), staying.frame(0)]);
    await fetch(`${url}/api/session`, { method: "DELETE", headers: { cookie, ...SAME_ORIGIN } });
    const sent = view.frames.length;
    expect(await view.ended).toEqual(LIVE_CLOSE.session_ended);
    expect(view.frames.length - sent).toBeLessThanOrEqual(1);
    await staying.frame(staying.frames.length);
  });

  test("a live view closes when its session expires, and the cookie then opens nothing", async () => {
    const { url } = await startTestServer(["--session", "1m"]);
    onTestFinished(() => void setSystemTime());
    const headers = { cookie: await cookieFor(url, ADMIN_KEY), ...SAME_ORIGIN };
    const beganAt = Date.now();
    const view = await look(url, headers);
    const byKey = await look(url);
    setSystemTime(beganAt + 55_000);
    // Wait for a frame at that time.
    await view.frame(view.frames.length + 1);
    expect((await fetch(`${url}/api/session`, { headers })).status).toBe(200);
    setSystemTime(beganAt + 60_000);
    expect(await view.ended).toEqual(LIVE_CLOSE.session_ended);
    for (const path of ["/api/session", "/admin/overview"])
      expect((await fetch(`${url}${path}`, { headers })).status).toBe(401);
    await expect(look(url, headers)).rejects.toThrow("refused");
    await byKey.frame(byKey.frames.length);
  });

  test("a live view that sends a frame is closed", async () => {
    const { url } = await startTestServer();
    for (const data of ["hello", new Uint8Array(100_000)]) {
      const view = await look(url);
      view.send(data);
      expect(await view.ended).toEqual(LIVE_CLOSE.unasked);
    }
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  test("a live view ends with the server, which does not wait for it", async () => {
    const server = await startTestServer();
    const view = await look(server.url);
    await server.stop();
    expect(await view.ended).toEqual(LIVE_CLOSE.stopping);
  });

  test("a hundred live views can be open, and one that closes makes room for another", async () => {
    const { url } = await startTestServer();
    const views = await Promise.all(Array.from({ length: 100 }, () => look(url)));
    await expect(look(url)).rejects.toThrow("refused");
    const refused = await fetch(`${url}/admin/live`, { headers: KEY });
    expect([refused.status, await refused.json()]).toEqual([503, { error: "Too many live views are open" }]);
    views[0]?.close();
    await views[0]?.ended;
    await until(() =>
      look(url).then(
        () => true,
        () => false,
      ),
    );
  });

  test("only the server's own pages and programs can open a live view", async () => {
    const { url } = await startTestServer();
    const { host } = new URL(url);
    const cookie = await cookieFor(url, ADMIN_KEY);
    for (const headers of [
      { cookie, origin: "https://evil.example" },
      { cookie, origin: "http://127.0.0.1:1" },
      { cookie, origin: "null" },
      { cookie, "sec-fetch-site": "cross-site" },
      { ...KEY, origin: "https://evil.example" },
      { cookie: `${cookie}x`, ...SAME_ORIGIN },
      { authorization: "wrong" },
      {},
    ])
      await expect(look(url, headers as Record<string, string>)).rejects.toThrow("refused");
    for (const headers of [{ cookie, origin: `http://${host}` }, { cookie, ...SAME_ORIGIN }, KEY])
      expect((await (await look(url, headers as Record<string, string>)).frame(0)).type).toBe("overview");
    expect((await fetch(`${url}/admin/live?admin_key=${ADMIN_KEY}`)).status).toBe(401);
  });
});

test("a request that ended while no view was open is in the next view's overview, and in no frame after it", async () => {
  const { server, post } = await startModelScene(answering());
  const added = await fetch(`${server.url}/admin/users/add`, { method: "POST", headers: KEY });
  const { token } = (await added.json()) as { token: string };
  const ask = () =>
    post("chat/completions", { model: "m", messages: [] }, { headers: { authorization: token } });
  await ask();
  const view = await look(server.url);
  await view.frame(1);
  view.close();
  await view.ended;
  await ask();
  const seconds = (await overviewOf(server.url)).samples.asks.length;
  await until(async () => (await overviewOf(server.url)).samples.asks.length > seconds);
  const again = await look(server.url);
  expect(((await again.frame(0)) as OverviewFrame).asks).toHaveLength(2);
  expect(((await again.frame(1)) as SecondFrame).asks).toEqual([]);
});
