import { expect, test } from "bun:test";
import { answering } from "../../support/chat-agent.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { addLimitedUser, callerOf } from "../../support/user-caller.ts";

const METRICS_KEY = "a-key-for-the-metrics";

test("cached and reasoning tokens reach the usage, the log and the metrics, and are counted once by limits", async () => {
  const usage = { prompt_tokens: 7, completion_tokens: 3 };
  const details = {
    prompt_tokens_details: { cached_tokens: 4, cache_creation_tokens: 2 },
    completion_tokens_details: { reasoning_tokens: 3 },
  };
  const { server } = await startModelScene(answering({ ...usage, ...details }), [
    "--metrics-key",
    METRICS_KEY,
  ]);
  const get = (path: string, key: string) =>
    fetch(server.url + path, { headers: { authorization: `Bearer ${key}` } });
  const user = await addLimitedUser(server.url, { tokens_per_day: 1_000 });
  const answer = await callerOf(server.url, user).chat();
  await answer.text();

  const entry = { ...usage, cached_tokens: 4, cache_creation_tokens: 2, reasoning_tokens: 3 };
  expect(await (await get("/admin/usage?by=", ADMIN_KEY)).json()).toMatchObject({ usage: [entry] });
  const own = await get("/api/usage", user.token);
  expect(await own.json()).toMatchObject({ usage: [entry] });
  expect(own.headers.get("x-ratelimit-remaining-tokens")).toBe("990");
  expect(server.logged()).toContain('"cached_tokens":4,"cache_creation_tokens":2,"reasoning_tokens":3');
  const metrics = await (await get("/metrics", METRICS_KEY)).text();
  const kinds = { cached: 4, cache_creation: 2, reasoning: 3 };
  for (const [kind, tokens] of Object.entries(kinds))
    expect(metrics).toContain(`chatgpt_api_token_details_total{model="m",kind="${kind}"} ${tokens}`);
});
