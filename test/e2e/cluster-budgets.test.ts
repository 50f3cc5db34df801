import { expect, test } from "bun:test";
import { describeWithCluster, startNodes } from "../support/cluster-nodes.ts";
import { ADMIN_KEY, call } from "../support/database-server.ts";
import type { Executable } from "../support/executable.ts";
import { AGENT_KEY } from "../support/keys.ts";
import { until } from "../support/until.ts";
import { connectV2Agent, V2_HELLO } from "../support/v2-agent.ts";

/** A request has ten tokens, and costs 0.01. */
const PRICES = JSON.stringify({ currency: "EUR", models: { m: { input: 1_000, output: 1_000 } } });
const COST = 0.01;
const QUESTION = { model: "m", messages: [{ role: "user", content: "hi" }], max_tokens: 10 };
const ANSWER = JSON.stringify({
  ...{ id: "c1", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 6, completion_tokens: 4, total_tokens: 10 },
});

interface User {
  user_id: string;
  token: string;
}

/** Two nodes, each with an agent of its own, which answers once `release` was called. */
async function start({ isHeld = false } = {}) {
  const [a, b] = (await startNodes(["a", "b"], ["--prices", PRICES])) as [Executable, Executable];
  const held = Promise.withResolvers<void>();
  if (!isHeld) held.resolve();
  for (const node of [a, b])
    await connectV2Agent(node.url, {
      key: AGENT_KEY,
      hello: { ...V2_HELLO, slots: 50 },
      async onAsk({ ask }, agent) {
        agent.say({ type: "accept", ask });
        await held.promise;
        agent.say({ type: "done", ask, status: 200, body: ANSWER });
      },
    });
  return {
    ...{ a, b, release: held.resolve },
    async users(count: number, limits: object): Promise<User[]> {
      const add = async () => (await call(a, "/admin/users/add", ADMIN_KEY, limits)).body as unknown as User;
      return Promise.all(Array.from({ length: count }, add));
    },
  };
}

const ask = (node: Executable, { token }: User) => call(node, "/v1/chat/completions", token, QUESTION);

/** Asks the nodes one after the other, and resolves with the statuses. */
async function statusesOf(user: User, nodes: readonly Executable[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const node of nodes) statuses.push((await ask(node, user)).status);
  return statuses;
}

/** Resolves with what the database knows of the cost of each user. */
async function costs(node: Executable): Promise<Map<string, number>> {
  const { body } = await call(node, "/admin/usage?by=user", ADMIN_KEY);
  const entries = body["usage"] as unknown as { user: string; cost: number }[];
  return new Map(entries.map(({ user, cost }) => [user, cost]));
}

/** Resolves with what is left of the user's budget of the month, as this node says. */
async function left(node: Executable, { token }: User): Promise<number> {
  const { body } = await call(node, "/api/session", token);
  return (body as unknown as { budgets: { month: { remaining: number } } }).budgets.month.remaining;
}

describeWithCluster("budgets of two nodes", () => {
  test("requests at either node count toward one budget, which is exceeded by less than a request", async () => {
    const { a, b, users } = await start();
    // Each node is the home of some of them.
    for (const user of await users(6, { budget_month: 3.5 * COST })) {
      for (const [index, node] of [a, b, a].entries()) {
        expect(await statusesOf(user, [node])).toEqual([200]);
        // The home hears of the end of a request a moment after the caller.
        const wanted = Number((3.5 * COST - (index + 1) * COST).toFixed(6));
        for (const each of [a, b]) await until(async () => (await left(each, user)) === wanted);
      }
      expect(await statusesOf(user, [b])).toEqual([200]);
      for (const each of [a, b]) await until(async () => (await left(each, user)) === 0);
      for (const node of [a, b]) {
        const { status, body } = await ask(node, user);
        expect([status, (body as unknown as { error: object }).error]).toEqual([
          429,
          expect.objectContaining({
            code: "insufficient_quota",
            message: expect.stringContaining("The budget of a month is 0.035 EUR, and 0.04 EUR were spent."),
          }),
        ]);
      }
    }
  }, 60_000);

  test("requests that arrive at both nodes at once reserve together what is left of a budget", async () => {
    const { a, b, users, release } = await start({ isHeld: true });
    const all = await users(4, { budget_day: 10 * COST });
    const asked = all.map((user) => Array.from({ length: 30 }, (_, index) => ask(index % 2 ? a : b, user)));
    const refused: string[] = [];
    for (const answer of asked.flat())
      void answer.then(({ status, body }) => {
        if (status === 429) refused.push((body as unknown as { error: { code: string } }).error.code);
      });
    // A request reserves at least its cost, so that ten of a user have the whole budget.
    await until(() => refused.length >= 4 * (30 - 10));
    release();
    for (const answers of asked) {
      const statuses = (await Promise.all(answers)).map(({ status }) => status);
      const letIn = statuses.filter((status) => status === 200).length;
      expect(letIn).toBeGreaterThan(1);
      expect(letIn * COST).toBeLessThan(10 * COST + COST);
    }
    expect(new Set(refused)).toEqual(new Set(["rate_limit_exceeded"]));
  }, 60_000);

  test("the node that remains after a kill knows what was spent at both", async () => {
    const { a, b, users } = await start();
    // Each node is the home of some of them.
    const all = await users(8, { budget_month: 5.5 * COST });
    for (const user of all) expect(await statusesOf(user, [a, b, a, b])).toEqual([200, 200, 200, 200]);
    // A killed node forgets the records of its last second.
    await until(async () => {
      const known = await costs(a);
      return all.every(({ user_id }) => known.get(user_id) === 4 * COST);
    });
    const lost = a.output(/node_lost\b/);
    b.kill("SIGKILL");
    await b.exited;
    await lost;
    for (const user of all) {
      expect(await left(a, user)).toBe(1.5 * COST);
      expect(await statusesOf(user, [a, a, a])).toEqual([200, 200, 429]);
    }
  }, 60_000);

  test("a kill lets users spend their whole budget, and at most a node's share besides", async () => {
    const { a, b, users } = await start();
    const all = await users(8, { budget_month: 6 * COST });
    for (const user of all) expect(await statusesOf(user, [a, b])).toEqual([200, 200]);
    await until(async () => {
      const known = await costs(a);
      return all.every(({ user_id }) => known.get(user_id) === 2 * COST);
    });
    const lost = a.output(/node_lost\b/);
    b.kill("SIGKILL");
    await b.exited;
    const letIn = async (user: User) =>
      (await statusesOf(user, Array<Executable>(8).fill(a))).filter((status) => status === 200).length;
    // Those whose home is gone may spend 0.03 here, half the budget, of which 0.01 is spent.
    const before = await Promise.all(all.map(letIn));
    await lost;
    const after = await Promise.all(all.map(letIn));
    for (const [index, count] of before.entries()) {
      expect(count).toBeGreaterThanOrEqual(2);
      expect(count + (after[index] ?? 0)).toBeGreaterThanOrEqual(4);
      expect(count + (after[index] ?? 0)).toBeLessThanOrEqual(4 + 2);
    }
  }, 60_000);
});
