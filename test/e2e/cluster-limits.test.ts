import { expect, test } from "bun:test";
import { MINUTE_MS } from "../../src/durations.ts";
import { describeWithCluster, startNodes } from "../support/cluster-nodes.ts";
import { ADMIN_KEY, call } from "../support/database-server.ts";
import type { Executable } from "../support/executable.ts";
import { AGENT_KEY } from "../support/keys.ts";
import { until } from "../support/until.ts";
import { connectV2Agent } from "../support/v2-agent.ts";

const NAMES = ["a", "b", "c"];
const QUESTION = { model: "m", messages: [{ role: "user", content: "hi" }], max_tokens: 10 };
const HELLO = { type: "hello", name: "box", version: "1", slots: 50, models: [{ id: "m" }] };
const ANSWER = JSON.stringify({
  ...{ id: "c1", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 6, completion_tokens: 4, total_tokens: 10 },
});

/** Three nodes, each with an agent of its own that answers after some time. */
async function start({ answerMs = 0 } = {}) {
  const nodes = await startNodes(NAMES);
  const [first] = nodes as [Executable];
  let [running, most, ms] = [0, 0, answerMs];
  for (const node of nodes)
    await connectV2Agent(node.url, {
      key: AGENT_KEY,
      hello: { ...HELLO, endpoints: ["chat/completions"] },
      async onAsk({ ask }, agent) {
        most = Math.max(most, ++running);
        await Bun.sleep(ms);
        running--;
        agent.say({ type: "done", ask, status: 200, body: ANSWER });
      },
    });
  return {
    ...{ nodes, first },
    mostRunning: () => most,
    running: () => running,
    answerAfter(answerMs: number) {
      ms = answerMs;
    },
    /** Adds a user with these limits, and resolves with their token. */
    async user(limits: object): Promise<string> {
      const { body } = await call(first, "/admin/users/add", ADMIN_KEY, limits);
      return body["token"] ?? "";
    },
  };
}

/** Sends a request. A node that was killed answers with status 0. */
const ask = (node: Executable, token: string) =>
  call(node, "/v1/chat/completions", token, QUESTION).catch(() => ({ status: 0, headers: new Headers() }));

/** Sends requests to the nodes in turn from 4 callers, and resolves with the times of those that were let in. */
async function askFor(ms: number, nodes: () => readonly Executable[], token: string) {
  const letIn: { from: number; to: number }[] = [];
  const end = Date.now() + ms;
  let count = 0;
  const caller = async () => {
    while (Date.now() < end) {
      const node = nodes()[count++ % nodes().length] as Executable;
      const from = Date.now();
      const { status } = await ask(node, token);
      if (status === 200) letIn.push({ from, to: Date.now() });
      else await Bun.sleep(20);
    }
  };
  await Promise.all([caller(), caller(), caller(), caller()]);
  return letIn.sort((one, other) => one.from - other.from);
}

const limitHeaders = ({ headers }: { headers: Headers }) =>
  [...headers].filter(([name]) => /^x-ratelimit-(limit|remaining)/.test(name)).sort();

describeWithCluster("limits of three nodes", () => {
  test("N requests a minute are let in within any 60 seconds, wherever they arrive", async () => {
    const { nodes, user } = await start();
    const token = await user({ requests_per_minute: 12 });
    const letIn = await askFor(62_000, () => nodes, token);
    expect(letIn.length).toBeGreaterThan(12);
    // Each was let in some time between these two.
    const tooClose = letIn.filter(
      ({ from }, index) => (letIn[index + 12]?.to ?? Infinity) - from < MINUTE_MS,
    );
    expect(tooClose).toEqual([]);
    expect(letIn.filter(({ to }) => to < (letIn[0]?.from ?? 0) + MINUTE_MS).length).toBe(12);
  }, 120_000);

  test("a kill lets in at most twice the limit, and frees what the killed node ran", async () => {
    const { nodes, user } = await start({ answerMs: 50 });
    // Each node is the home of some of them.
    const tokens = await Promise.all(
      Array.from({ length: 8 }, () => user({ requests_per_minute: 6, max_parallel: 3 })),
    );
    let alive = nodes;
    const asking = tokens.map((token) => askFor(9_000, () => alive, token));
    await Bun.sleep(1_500);
    const killed = nodes[2] as Executable;
    for (const token of tokens) void ask(killed, token);
    killed.kill("SIGKILL");
    alive = nodes.slice(0, 2);
    for (const letIn of await Promise.all(asking)) {
      expect(letIn.length).toBeGreaterThanOrEqual(6);
      expect(letIn.length).toBeLessThanOrEqual(12);
    }
  }, 60_000);

  test("a node that leaves hands over what it counted, so the limits stay exact", async () => {
    const { nodes, user } = await start();
    // Each node is the home of some of them.
    const tokens = await Promise.all(Array.from({ length: 8 }, () => user({ requests_per_minute: 6 })));
    const [a, b, leaving] = nodes as [Executable, Executable, Executable];
    const statusesOf = async (token: string, asked: readonly Executable[]) => {
      const statuses: number[] = [];
      for (const node of asked) statuses.push((await ask(node, token)).status);
      return statuses;
    };
    for (const token of tokens)
      expect(await statusesOf(token, [leaving, a, leaving, b])).toEqual([200, 200, 200, 200]);
    leaving.kill("SIGTERM");
    await leaving.exited;
    for (const token of tokens) expect(await statusesOf(token, [a, b, a, b])).toEqual([200, 200, 429, 429]);
  }, 60_000);

  test("N parallel requests run at most, and none is left after a node was killed", async () => {
    const scene = await start({ answerMs: 300 });
    const { nodes, user } = scene;
    const token = await user({ max_parallel: 4 });
    await askFor(3_000, () => nodes, token);
    expect(scene.mostRunning()).toBe(4);
    await until(() => scene.running() === 0);
    scene.answerAfter(60_000);
    const [other, killed] = nodes as [Executable, Executable];
    for (let count = 0; count < 4; count++) void ask(killed, token);
    await until(() => scene.running() === 4);
    expect((await ask(other, token)).status).toBe(429);
    scene.answerAfter(0);
    killed.kill("SIGKILL");
    await Bun.sleep(6_000);
    const statuses = await Promise.all(Array.from({ length: 4 }, () => ask(other, token)));
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  }, 60_000);

  test("a user with one request at a time may ask each node in turn, as soon as the last answer is there", async () => {
    const { nodes, user } = await start();
    // Each node is the home of some of them.
    for (const token of await Promise.all(Array.from({ length: 6 }, () => user({ max_parallel: 1 }))))
      for (let count = 0; count < 30; count++)
        expect((await ask(nodes[count % 3] as Executable, token)).status).toBe(200);
  }, 60_000);

  test("the tokens of a day count at all nodes, and every node tells the same of the limits", async () => {
    const { nodes, user } = await start();
    const token = await user({ requests_per_minute: 50, tokens_per_day: 45 });
    for (const [index, node] of [...nodes, nodes[0] as Executable].entries()) {
      expect((await ask(node, token)).status).toBe(200);
      for (const each of nodes) {
        // The home hears of the end of a request a moment after the caller.
        const wanted = [
          ["x-ratelimit-limit-requests", "50"],
          ["x-ratelimit-limit-tokens", "45"],
          ["x-ratelimit-remaining-requests", String(49 - index)],
          ["x-ratelimit-remaining-tokens", String(45 - 10 * (index + 1))],
        ];
        await until(async () => Bun.deepEquals(limitHeaders(await call(each, "/api/usage", token)), wanted));
      }
    }
    const answers = [await ask(nodes[1] as Executable, token), await ask(nodes[2] as Executable, token)];
    expect(answers.map(({ status }) => status)).toEqual([200, 429]);
    expect(limitHeaders(answers[0] ?? { headers: new Headers() })).toContainEqual([
      "x-ratelimit-remaining-tokens",
      "0",
    ]);
  }, 60_000);
});
