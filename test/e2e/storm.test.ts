import { expect, test } from "bun:test";
import { firefoxAgent, pythonAgent, type TestAgent } from "../support/agents.ts";
import { expectNothingLeft, openFiles } from "../support/nothing-left.ts";
import type { AgentRequest, Fault } from "../support/outcome.ts";
import { chooseSeed, createRandom } from "../support/random.ts";
import { type Scene, startScene } from "../support/scene.ts";
import { HANG_MS, until } from "../support/until.ts";

const ASKS = 10_000;
const CALLERS = 64;
const AGENTS = 16;

/** The number of requests in 1,000 that an agent answers in each wrong way. */
const FAULTS_PER_1000: [Fault | "late", number][] = [
  ["drop", 50],
  ["error", 50],
  ["garbage", 30],
  ["mistyped", 30],
  ["unreadable", 30],
  ["list", 20],
  ["stray", 50],
  ["late", 10],
  ["silent", 5],
];
/** Longer than --first-byte. */
const LATE_MS = 4_000;
/** In one of this many asks the caller hangs up before the answer. */
const LEAVE_EVERY = 50;
const FLAGS = ["--first-byte", "3s", "--pong-within", "10s", "--ping-every", "1s", "--reconnect-grace", "3s"];

/** The errors that a caller may get instead of an answer. */
const ERRORS = new Set([
  "502 Failed to convert response to ChatGptResponse",
  "502 Failed to read response from the client",
  "502 Failed to send request to the client",
  "503 No available clients",
  "504 Failed to read response from the client",
]);

const seed = chooseSeed();

/** Decides what agents do with a request by the seed, the ask and how often it was sent. */
function createChaos() {
  const sent = new Map<string, number>();
  const chaos = {
    /** Counts how often each ask was sent, by its content. */
    sent,
    /** Once set, agents answer with this and make no more faults. */
    calm: undefined as (() => Promise<object>) | undefined,
    /** The number of late answers that are not sent yet. */
    late: 0,
    async answer({ content }: AgentRequest): Promise<Fault | object> {
      if (chaos.calm) return chaos.calm();
      const count = (sent.get(content) ?? 0) + 1;
      sent.set(content, count);
      const fault = faultOf(Number(content.split(" ")[1]), count);
      if (fault !== "late") return fault ?? {};
      chaos.late++;
      await Bun.sleep(LATE_MS);
      chaos.late--;
      return {};
    },
  };
  return chaos;
}

function faultOf(index: number, count: number): Fault | "late" | undefined {
  let place = createRandom(seed ^ (index * 4 + count)).below(1000);
  for (const [fault, share] of FAULTS_PER_1000) {
    if (place < share) return fault;
    place -= share;
  }
  return undefined;
}

/** Posts without keep-alive, so that no idle connection is left afterwards. */
const post = (scene: Scene, key: string, content: string, limitMs = HANG_MS) =>
  scene.request("/api/ask", {
    method: "POST",
    headers: { authorization: key },
    body: JSON.stringify({ content }),
    keepalive: false,
    signal: AbortSignal.timeout(limitMs),
  });

/** Resolves with "200" for the ask's own answer, "left" if the caller did not wait for it, or else the error. */
async function oneAsk(scene: Scene, key: string, content: string, leaves: boolean): Promise<string> {
  try {
    const { status, text, body } = await post(scene, key, content, leaves ? 3 : undefined);
    if (status !== 200) return `${status} ${body?.["error"] ?? text}`;
    return body["content"] === `echo: ${content}` ? "200" : `200 with another's answer: ${text}`;
  } catch (error) {
    if (leaves) return "left";
    throw error;
  }
}

test(`each of 10,000 asks over 16 faulty agents gets one outcome, its own, and leaves nothing behind in the server (SEED=${seed})`, async () => {
  const scene = await startScene({ flags: FLAGS });
  const keys = [scene.adminKey];
  for (let count = 0; count < 7; count++) keys.push((await scene.addUser()).token);
  await post(scene, scene.adminKey, "0");
  const filesBefore = await openFiles(scene);

  const chaos = createChaos();
  const agents: TestAgent[] = [];
  for (let count = 0; count < AGENTS; count++) {
    const connect = count % 3 === 2 ? pythonAgent : firefoxAgent;
    agents.push(await connect(scene.url, { answer: chaos.answer, reconnectMs: 5 + count }));
    scene.after(() => agents[count]?.stop());
  }

  const outcomes = new Map<string, number>();
  let next = 0;
  await Promise.all(
    Array.from({ length: CALLERS }, async (_, caller) => {
      const key = keys[caller % keys.length] ?? "";
      for (let index = next++; index < ASKS; index = next++) {
        const content = `ask ${index} of ${seed}`;
        const outcome = await oneAsk(scene, key, content, index % LEAVE_EVERY === 0);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
    }),
  );

  const unclear = [...outcomes.keys()].filter(
    (outcome) => outcome !== "200" && outcome !== "left" && !ERRORS.has(outcome),
  );
  expect(unclear).toEqual([]);
  expect([...outcomes.values()].reduce((sum, count) => sum + count)).toBe(ASKS);
  expect(outcomes.get("200")).toBeGreaterThan(ASKS * 0.9);
  expect(chaos.sent.size).toBeGreaterThanOrEqual(ASKS - (outcomes.get("left") ?? 0));
  expect(Math.max(...chaos.sent.values())).toBeLessThanOrEqual(AGENTS);

  await until(() => chaos.late === 0);
  await until(async () => (await scene.connections()).length === AGENTS);
  expect((await scene.connections()).map(({ Id }) => Id).toSorted()).toEqual(
    agents.map(({ id }) => id).toSorted(),
  );

  // An agent that failed just before would get nothing for some seconds.
  const reset = { method: "POST", headers: { authorization: scene.adminKey } };
  for (const { id } of agents)
    expect((await scene.request(`/admin/agents/${id}/reset`, reset)).status).toBe(200);
  // No agent answers before all have been asked, which shows that every agent has its slot free.
  const all = Promise.withResolvers<object>();
  let asked = 0;
  chaos.calm = () => {
    if (++asked === AGENTS) all.resolve({});
    return all.promise;
  };
  const replies = await Promise.all(agents.map((_, index) => post(scene, scene.adminKey, `calm ${index}`)));
  expect(replies.map(({ status, body }) => [status, body["content"]])).toEqual(
    agents.map((_, index) => [200, `echo: calm ${index}`]),
  );

  await Promise.all(agents.map((agent) => agent.stop()));
  await expectNothingLeft(scene, filesBefore);
});
