import { expect, test } from "bun:test";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { addLimitedUser, callerOf } from "../../support/user-caller.ts";
import { streamPieces } from "../../support/v2-agent.ts";

test("the traffic has each request at once, by minute and by hour, and of one user only", async () => {
  const { server, post } = await startModelScene({
    onAsk: ({ ask }, agent) => streamPieces(agent, ask, ["fine"]),
  });
  const ann = await addLimitedUser(server.url);
  await (await callerOf(server.url, ann).chat({ stream: true })).text();
  await (await post("chat/completions", { model: "m", messages: [], stream: true })).text();
  const get = (query: string) =>
    fetch(`${server.url}/admin/traffic?${query}`, { headers: { authorization: ADMIN_KEY } });
  const read = async (query: string) => (await get(query)).json();
  expect(await read("by=user")).toMatchObject({
    ...{ every_ms: 60_000, total: { asks: 2, failed: 0, errors: {} } },
    groups: [{ asks: 1 }, { asks: 1 }],
  });
  const weekAgo = new Date(Date.now() - 7 * 86_400_000).toISOString();
  expect(await read(`from=${weekAgo}`)).toMatchObject({ every_ms: 3_600_000, total: { asks: 2 } });
  expect(await read(`user=${ann.user_id}&from=${weekAgo}`)).toMatchObject({ total: { asks: 1 } });
  expect(await read("model=nope")).toMatchObject({ total: { asks: 0, duration_ms_p50: null } });
  for (const query of ["by=day", "from=2999-01-01", "from=x"])
    expect([query, (await get(query)).status]).toEqual([query, 400]);
});

test("filters combine, and the groups are those of what the others choose", async () => {
  const { server, post } = await startModelScene({
    onAsk: ({ ask }, agent) => streamPieces(agent, ask, ["fine"]),
  });
  const [ann, bob] = [await addLimitedUser(server.url), await addLimitedUser(server.url)];
  for (const user of [ann, ann, bob]) await (await callerOf(server.url, user).chat({ stream: true })).text();
  const messages = [{ role: "user", content: "hi" }];
  await (await post("messages", { model: "m", max_tokens: 5, messages, stream: true })).text();
  const read = async (query: string) => {
    const response = await fetch(`${server.url}/admin/traffic?${query}`, {
      headers: { authorization: ADMIN_KEY },
    });
    expect(response.status).toBe(200);
    return response.json();
  };
  const { groups } = (await read("by=agent")) as { groups: { name: string; label: string }[] };
  const [{ name: agent, label } = { name: "", label: "" }] = groups;
  const names = { agent, model: "m", user: ann.user_id, surface: "chat/completions" };
  const asksOf: Record<string, number> = { agent: 4, model: 4, user: 2, surface: 3 };
  const kinds = Object.keys(names) as (keyof typeof names)[];
  for (let chosen = 1; chosen < 2 ** kinds.length; chosen++) {
    const only = kinds.filter((_, index) => chosen & (1 << index));
    const query = new URLSearchParams(Object.fromEntries(only.map((kind) => [kind, names[kind]])));
    const asks = Math.min(...only.map((kind) => asksOf[kind] ?? 0));
    const counted = {
      asks,
      failed: 0,
      duration_ms_p95: expect.any(Number),
      queue_ms_p50: expect.any(Number),
    };
    expect([`${query}`, await read(`${query}`)]).toMatchObject([
      `${query}`,
      { total: counted, counted_from: null },
    ]);
    const { steps } = (await read(`${query}`)) as { steps: { asks: number[] } };
    expect(steps.asks.reduce((sum, count) => sum + count, 0)).toBe(asks);
  }
  expect(await read(`user=${ann.user_id}&by=model`)).toMatchObject({
    total: { asks: 2, refused: 0 },
    groups: [{ name: "m", asks: 2, refused: null }],
  });
  expect(await read("model=m&surface=chat/completions&by=user")).toMatchObject({
    total: { asks: 3, refused: null },
    steps: { refused: null },
    groups: [
      { name: ann.user_id, asks: 2 },
      { name: bob.user_id, asks: 1 },
    ],
  });
  // The groups of the kind that is chosen are all that one may choose instead.
  const both = (await read(`user=${ann.user_id}&model=m&by=user`)) as {
    total: { asks: number };
    groups: { name: string; asks: number }[];
  };
  expect(both.total.asks).toBe(2);
  expect(Object.fromEntries(both.groups.map(({ name, asks }) => [name, asks]))).toEqual({
    ...{ [ann.user_id]: 2, [bob.user_id]: 1, admin: 1 },
  });
  expect(await read("model=m&by=agent")).toMatchObject({ groups: [{ name: agent, label, asks: 4 }] });
});

test("refused requests are told apart from those that failed, also those with a key that is not valid any more", async () => {
  const { server } = await startModelScene({ onAsk: ({ ask }, agent) => streamPieces(agent, ask, ["fine"]) });
  const ann = await addLimitedUser(server.url, { name: "Ann", models: ["m"] });
  const caller = callerOf(server.url, ann);
  await (await caller.chat({ stream: true })).text();
  const admin = { authorization: ADMIN_KEY, "content-type": "application/json" };
  const statuses = [(await caller.chat({ model: "another" })).status];
  const change = (path: string, method: string, body?: object) =>
    fetch(`${server.url}/admin/users/${ann.user_id}${path}`, {
      ...{ method, headers: admin, ...(body && { body: JSON.stringify(body) }) },
    });
  expect((await change("/disable", "POST")).status).toBe(200);
  statuses.push((await caller.chat()).status, (await caller.chat()).status);
  await change("/enable", "POST");
  expect((await change("", "PATCH", { expires_at: "2020-01-01T00:00:00Z" })).status).toBe(200);
  statuses.push((await caller.chat()).status);
  const unknown = await fetch(`${server.url}/v1/chat/completions`, {
    ...{ method: "POST", headers: { authorization: "Bearer unknown" }, body: "{}" },
  });
  expect([...statuses, unknown.status]).toEqual([403, 401, 401, 401, 401]);
  const read = async (path: string) =>
    (await fetch(`${server.url}/admin/${path}`, { headers: admin })).json();
  const refused = { refused: 4, refusals: { model_not_allowed: 1, key_disabled: 2, key_expired: 1 } };
  expect(await read("traffic")).toMatchObject({ total: { asks: 1, failed: 0, errors: {}, ...refused } });
  const { steps } = (await read(`traffic?user=${ann.user_id}`)) as { steps: { refused: number[] } };
  expect(steps.refused.reduce((sum, count) => sum + count, 0)).toBe(4);
  expect(await read("traffic?surface=chat/completions&by=user")).toMatchObject({ total: refused });
  expect(await read("traffic?by=user")).toMatchObject({ groups: [{ name: ann.user_id, ...refused }] });
  expect(await read("traffic?model=m")).toMatchObject({ total: { asks: 1, refused: null, refusals: {} } });
  expect(await read("usage?by=user")).toMatchObject({ usage: [{ user: ann.user_id, asks: 1, ...refused }] });
});

test("the steps of a period line up with its beginning, and are bounded in number", async () => {
  const { server } = await startModelScene();
  for (const [hours, everyMs] of [
    [0.25, 60_000],
    [6, 120_000],
    [24, 600_000],
    [720, 21_600_000],
  ] as const) {
    const from = new Date(Date.now() - hours * 3_600_000).toISOString();
    const response = await fetch(`${server.url}/admin/traffic?from=${from}`, {
      headers: { authorization: ADMIN_KEY },
    });
    const { every_ms, steps, ...period } = (await response.json()) as Record<string, string> & {
      every_ms: number;
      steps: { asks: number[] };
    };
    const count = (Date.parse(period["to"] ?? "") - Date.parse(period["from"] ?? "")) / every_ms;
    expect(steps.asks).toHaveLength(count);
    expect(count).toBeLessThanOrEqual(202);
    expect(every_ms).toBe(everyMs);
  }
});
