import { expect, test } from "bun:test";
import type { Caller } from "../../../src/auth/callers.ts";
import { queueRoutes } from "../../../src/http/ask/queue.ts";
import { ADMIN, userPrincipal } from "../../../src/principal.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";
import { connectV2Agent, streamPieces, V2_HELLO } from "../../support/v2-agent.ts";

interface Queue {
  total: number;
  waiting: Record<string, unknown>[];
}

test("a user sees their own waiting requests with their places, and the administrator sees all", async () => {
  const server = await startTestServer();
  const agent = await connectV2Agent(server.url, { hello: { ...V2_HELLO, slots: 1 } });
  const addUser = async () => {
    const init = { method: "POST", headers: { authorization: ADMIN_KEY }, body: "{}" };
    const added = await fetch(`${server.url}/admin/users/add`, init);
    return (await added.json()) as { user_id: string; token: string };
  };
  const [one, other] = [await addUser(), await addUser()];
  const chat = (key: string, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: key, ...headers },
      body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }], stream: true }),
    });
  const queueOf = async (key: string): Promise<Queue> => {
    const response = await fetch(`${server.url}/api/queue`, { headers: { authorization: key } });
    return (await response.json()) as Queue;
  };
  expect(await queueOf(ADMIN_KEY)).toEqual({ total: 0, waiting: [] });

  const running = chat(ADMIN_KEY);
  const { ask } = await agent.next("ask");
  const first = chat(one.token);
  await until(async () => (await queueOf(ADMIN_KEY)).total === 1);
  const second = chat(one.token, { "x-priority": "low" });
  await until(async () => (await queueOf(ADMIN_KEY)).total === 2);
  const third = fetch(`${server.url}/api/ask`, {
    method: "POST",
    headers: { authorization: ADMIN_KEY },
    body: '{"content":"hi"}',
  });
  await until(async () => (await queueOf(ADMIN_KEY)).total === 3);

  const own = await queueOf(one.token);
  expect(own).toEqual({
    total: 2,
    waiting: [
      {
        ...{ request_id: expect.stringMatching(/^req_/), user_id: one.user_id, model: "m" },
        ...{ surface: "chat/completions", priority: "normal", waited_ms: expect.any(Number), before: 0 },
      },
      expect.objectContaining({ user_id: one.user_id, priority: "low", before: expect.any(Number) }),
    ],
  });
  expect(own.waiting[1]?.["before"]).toBeGreaterThan(0);
  expect(await queueOf(other.token)).toEqual({ total: 0, waiting: [] });
  const { waiting } = await queueOf(ADMIN_KEY);
  expect(waiting.map(({ user_id, surface, model }) => [user_id, surface, model])).toEqual([
    [one.user_id, "chat/completions", "m"],
    [one.user_id, "chat/completions", "m"],
    [null, "ask", null],
  ]);

  streamPieces(agent, ask, ["done"]);
  for (let left = 3; left > 0; left--) streamPieces(agent, (await agent.next("ask")).ask, ["done"]);
  for (const asked of [running, first, second, third]) await (await asked).text();
  expect(await queueOf(ADMIN_KEY)).toEqual({ total: 0, waiting: [] });
  agent.stop();
});

test("an answer lists the 1,000 requests that have waited longest, and counts all", async () => {
  const asked: unknown[] = [];
  const waitingAsks = (principal?: unknown) => {
    asked.push(principal);
    return Array.from({ length: 2_500 }, (_, index) => ({
      ...{ requestId: `req_${index}`, principal: ADMIN, model: undefined, surface: "ask" },
      ...{ priority: "low" as const, waitedMs: index + 0.4, asksBefore: () => index },
    }));
  };
  const [bound] = queueRoutes.bind({ relay: { waitingAsks } });
  const list = (principal: Caller["principal"]) =>
    bound?.handler({ caller: { principal } } as never) as Queue;
  const { total, waiting } = list(ADMIN);
  expect([total, waiting.length]).toEqual([2_500, 1_000]);
  expect(waiting[0]).toMatchObject({ request_id: "req_2499", waited_ms: 2_499, before: 2_499 });
  list(userPrincipal("u"));
  expect(asked).toEqual([undefined, userPrincipal("u")]);
});
