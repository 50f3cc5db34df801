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
  for (const query of ["by=day", "user=a&model=m", "from=2999-01-01", "from=x"])
    expect([query, (await get(query)).status]).toEqual([query, 400]);
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
