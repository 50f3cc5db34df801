import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { answering } from "../../support/chat-agent.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY, startTestServer } from "../../support/server.ts";
import { addLimitedUser, callerOf } from "../../support/user-caller.ts";

test("usage rows with forged numbers prevent neither a start nor a report, and lock nobody out", async () => {
  const first = await startTestServer();
  const user = await addLimitedUser(first.url, { tokens_per_day: 100 });
  await first.stop();
  const database = new Database(join(first.data, "server.db"));
  const insert = database.prepare(`
    INSERT INTO usage (at, request_id, user_id, agent, surface, outcome, tries, queue_ms, duration_ms,
      prompt_tokens, completion_tokens)
    VALUES (?1, 'req', ?2, 'a', 'ask', 'ok', 1, 0, 9223372036854775807, ?3, ?4)`);
  for (let index = 0; index < 1_100; index++) insert.run(Date.now(), user.user_id, 2 ** 53 - 1, 0);
  insert.run(Date.now(), user.user_id, "many", null);
  insert.run(Date.now(), user.user_id, 7, 3);
  database.close();

  const { server } = await startModelScene(answering({ prompt_tokens: 7, completion_tokens: 3 }), [], {
    data: first.data,
  });
  expect(server.logged()).toContain('"event":"usage_implausible","rows":1101');
  expect((await callerOf(server.url, user).chat()).status).toBe(200);
  for (const query of ["", "by=user", "by=agent,model", "by="]) {
    const response = await fetch(`${server.url}/admin/usage?${query}`, {
      headers: { authorization: ADMIN_KEY },
    });
    expect(response.status).toBe(200);
    const body = (await response.json()) as { usage: Record<string, number>[] };
    const of = (name: string) => body.usage.reduce((sum, entry) => sum + (entry[name] ?? 0), 0);
    expect([of("asks"), of("uncounted"), of("prompt_tokens"), of("duration_ms")]).toEqual([
      1_103,
      1_101,
      14,
      expect.any(Number),
    ]);
  }
});
