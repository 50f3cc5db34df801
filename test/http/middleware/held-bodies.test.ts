import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import { startModelScene } from "../../support/model-scene.ts";
import { ADMIN_KEY } from "../../support/server.ts";
import { until } from "../../support/until.ts";
import { addLimitedUser, callerOf } from "../../support/user-caller.ts";
import { type AskFrame, V2_HELLO, type V2Agent } from "../../support/v2-agent.ts";

/** A little more than a third of the room. */
const LARGE = "x".repeat(400_000);
const messages = (content: string) => [{ role: "user", content }];

function answer(agent: V2Agent, { ask }: AskFrame): void {
  agent.say({ type: "done", ask, status: 200, body: '{"choices":[{"message":{"content":"fine"}}]}' });
}

async function startFullScene() {
  const scene = await startModelScene({}, ["--bodies-max", "1MB", "--drain", "0s"]);
  const { url } = scene.server;
  const [one, two, three] = await Promise.all(
    [1, 2, 3].map(async () => callerOf(url, await addLimitedUser(url))),
  );
  if (!one || !two || !three) throw new Error("there are no users");
  const running = [one, two].map((user) => user.chat({ messages: messages(LARGE) }));
  const asks = [await scene.agent.next("ask"), await scene.agent.next("ask")];
  return { ...scene, one, three, running, asks };
}

test("a large body is refused with Retry-After while those of others fill the room, and fits when one has ended", async () => {
  const { agent, three, running, asks } = await startFullScene();
  const refused = await three.chat({ messages: messages(LARGE) });
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await refused.json()).toMatchObject({ error: { code: "bodies_full" } });
  for (const ask of asks) answer(agent, ask);
  expect(await Promise.all(running.map(async (response) => (await response).status))).toEqual([200, 200]);
  const again = three.chat({ messages: messages(LARGE) });
  answer(agent, await agent.next("ask"));
  expect((await again).status).toBe(200);
});

test("a user whose large bodies have half of the room gets a 429, and small bodies pass", async () => {
  const { agent, one } = await startFullScene();
  const refused = await one.chat({ messages: messages(LARGE) });
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "5"]);
  const small = one.chat({ messages: messages("hi") });
  answer(agent, await agent.next("ask"));
  expect((await small).status).toBe(200);
});

test("a body that arrives in chunks, or that is compressed, counts by its bytes", async () => {
  const { three } = await startFullScene();
  const body = JSON.stringify({ model: "m", messages: messages(LARGE) });
  const chunked = new Blob([body]).stream();
  const compressed = Bun.gzipSync(body);
  const headers = { "content-encoding": "gzip" };
  const responses = await Promise.all([
    three.post("/v1/chat/completions", undefined, { body: chunked }),
    three.post("/v1/chat/completions", undefined, { body: compressed, headers: { ...headers, ...KEY } }),
  ]);
  expect(responses.map(({ status }) => status)).toEqual([503, 503]);
});

const KEY = { authorization: `Bearer ${ADMIN_KEY}` };

const BODY_BYTES = 4_000_000;
const BODIES = 8;

test("a request that waits for an agent holds its body once", async () => {
  const { server, agent, post } = await startModelScene({ hello: { ...V2_HELLO, slots: 1 } }, [
    "--drain",
    "0s",
  ]);
  const running = post("chat/completions", { model: "m", messages: messages("hi") });
  await agent.next("ask");
  const body = JSON.stringify({ model: "m", messages: messages("x".repeat(BODY_BYTES)) });
  const bytes = new Blob([body]);
  const before = liveBytes();
  const waiting = Array.from({ length: BODIES }, () => post("chat/completions", undefined, { body: bytes }));
  const isQueued = async () => {
    const text = await (await fetch(`${server.url}/metrics`, { headers: KEY })).text();
    return text.includes(`chatgpt_api_queue_length ${BODIES}`);
  };
  await until(isQueued);
  expect(liveBytes() - before).toBeLessThan(1.5 * BODIES * BODY_BYTES);
  await server.stop();
  await Promise.allSettled([running, ...waiting]);
});

/** Returns how much the heap has that is in use, with the texts and bytes outside of it. */
function liveBytes(): number {
  Bun.gc(true);
  const { heapSize } = heapStats();
  return heapSize;
}
