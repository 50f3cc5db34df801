import { expect, test } from "bun:test";
import { answering } from "../../support/chat-agent.ts";
import { startModelScene } from "../../support/model-scene.ts";
import { readCsv } from "../../support/read-csv.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { addLimitedUser, callerOf } from "../../support/user-caller.ts";

/** A user whose requests are refused for four reasons: two requests a minute, and one model. */
async function refusedScene() {
  const { server } = await startModelScene(answering({ prompt_tokens: 7, completion_tokens: 3 }));
  const user = await addLimitedUser(server.url, { name: "Ann", requests_per_minute: 4, models: ["m"] });
  const caller = callerOf(server.url, user);
  const answers = [
    await caller.chat(),
    await caller.chat({ model: "another" }),
    await caller.post("/v1/embeddings", { model: "m", input: "a" }),
    await caller.post("/v1/chat/completions", { model: 7 }),
    await caller.chat(),
    await caller.chat({ stream: true }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 403, 404, 400, 429, 429]);
  await Promise.all(answers.map((answer) => answer.text()));
  const usageOf = async (query: string) => {
    const response = await fetch(`${server.url}/admin/usage?${query}`, {
      headers: { authorization: ADMIN_KEY },
    });
    return response.text();
  };
  return { user, caller, usageOf };
}

const REFUSALS = { limit_requests: 2, model_not_allowed: 1, endpoint_unsupported: 1, request_invalid: 1 };

test("refused requests are counted by reason, beside the requests that were accepted", async () => {
  const { user, usageOf } = await refusedScene();
  const own = { user: user.user_id, user_name: "Ann", asks: 1, failed: 0, refused: 5, refusals: REFUSALS };
  expect(JSON.parse(await usageOf("by=user")).usage).toMatchObject([own]);
  expect(JSON.parse(await usageOf("by=day")).usage).toMatchObject([{ asks: 1, refused: 5 }]);
  // Nobody knows which agent would have had them.
  expect(JSON.parse(await usageOf("by=agent")).usage).toMatchObject([
    { agent: expect.any(String), asks: 1, refused: 0 },
    { agent: null, asks: 0, refused: 5, duration_ms: 0 },
  ]);
});

test("users see their own refused requests, and no others", async () => {
  const { caller } = await refusedScene();
  const response = await caller.get("/api/usage?by=");
  expect(((await response.json()) as { usage: unknown }).usage).toMatchObject([{ refusals: REFUSALS }]);
});

test("the table for spreadsheets has the refused requests and their reasons", async () => {
  const { usageOf } = await refusedScene();
  const [header, row] = readCsv(await usageOf("by=user&format=csv"));
  expect(header?.slice(-2)).toEqual(["refused", "refusals"]);
  expect(row?.at(-2)).toBe("5");
  expect(row?.at(-1)?.split("; ").toSorted()).toEqual([
    ...["endpoint_unsupported 1", "limit_requests 2", "model_not_allowed 1", "request_invalid 1"],
  ]);
});

test("a request that becomes an ask and fails is not a refused one, nor is one with a wrong key", async () => {
  const { server, agent } = await startModelScene({}, ["--queue-wait", "100ms"]);
  agent.stop();
  const user = await addLimitedUser(server.url);
  const caller = callerOf(server.url, user);
  await caller.ask();
  await callerOf(server.url, { ...user, token: "wrong" }).chat();
  const response = await caller.get("/api/usage?by=");
  expect(((await response.json()) as { usage: unknown }).usage).toMatchObject([
    { asks: 1, failed: 1, refused: 0 },
  ]);
});
