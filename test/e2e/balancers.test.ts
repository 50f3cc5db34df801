import { describe, expect, onTestFinished, test } from "bun:test";
import { type BalancerKind, startBalancer } from "../support/balancer-process.ts";
import { type Executable, startExecutable } from "../support/executable.ts";
import { describeWith } from "../support/programs.ts";
import { until } from "../support/until.ts";
import {
  type AskFrame,
  chunk,
  connectV2Agent,
  streamPieces,
  V2_HELLO,
  type V2Agent,
} from "../support/v2-agent.ts";

const ADMIN_KEY = "admin-key-of-the-tests";
const FLAGS = ["--ping-every", "10m"];

interface Node {
  server: Executable;
  agent: V2Agent;
  asks: AskFrame[];
}

/** Three servers, each with an agent of one slot that answers nothing by itself, behind a load balancer. */
async function startNodes(kind: BalancerKind, flags: readonly string[] = FLAGS) {
  const nodes: Node[] = [];
  for (let left = 3; left > 0; left--) {
    const server = await startExecutable({ args: ["0", ADMIN_KEY, ...flags] });
    const asks: AskFrame[] = [];
    const hello = { ...V2_HELLO, slots: 1 };
    const agent = await connectV2Agent(server.url, { hello, onAsk: (ask) => asks.push(ask) });
    onTestFinished(() => agent.drop());
    nodes.push({ server, agent, asks });
  }
  const balancer = await startBalancer(
    kind,
    nodes.map(({ server }) => server.port),
  );
  onTestFinished(balancer.stop);
  await until(async () => (await fetch(`${balancer.url}/health`)).ok);
  return { nodes, url: balancer.url };
}

const post = (url: string, { content = "hello", stream = false }) =>
  fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify({ model: "m", stream, messages: [{ role: "user", content }] }),
    keepalive: false,
  });

/** Resolves with the node that satisfies the condition first. */
async function firstOf(nodes: readonly Node[], test: (node: Node) => boolean | Promise<boolean>) {
  let found: Node | undefined;
  await until(async () => {
    for (const node of nodes) if (await test(node)) found = node;
    return found !== undefined;
  });
  return found as Node;
}

function answer({ agent, asks }: Node, text: string): void {
  const ask = asks.pop();
  if (!ask) throw new Error("there is no ask");
  if (ask.stream) {
    streamPieces(agent, ask.ask, [text]);
    return;
  }
  const message = { role: "assistant", content: text };
  const body = JSON.stringify({ object: "chat.completion", choices: [{ index: 0, message }] });
  agent.say({ type: "done", ask: ask.ask, status: 200, body });
}

async function countWaiting({ server }: Node): Promise<number> {
  const response = await fetch(`${server.url}/api/queue`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
  });
  return ((await response.json()) as { waiting: unknown[] }).waiting.length;
}

/** The largest body of each that is sent again. HAProxy's buffer also has the headers. */
const LENGTHS = { nginx: 20 * 2 ** 20, haproxy: 100 * 2 ** 10 } as const;

for (const kind of ["nginx", "haproxy"] as const)
  describeWith(kind, `the documented ${kind}`, () => {
    describe.each([false, true])("for a request with stream: %p", (stream) => {
      test("a request that runs, with nothing sent, is sent again when its node is killed", async () => {
        const { nodes, url } = await startNodes(kind);
        const asked = post(url, { stream, content: "x".repeat(LENGTHS[kind]) });
        const first = await firstOf(nodes, ({ asks }) => asks.length > 0);
        first.server.kill("SIGKILL");
        const others = nodes.filter((node) => node !== first);
        const second = await firstOf(others, ({ asks }) => asks.length > 0);
        expect(second.asks[0]?.body.length).toBeGreaterThan(LENGTHS[kind]);
        answer(second, "from another");
        const response = await asked;
        expect([response.status, await response.text()]).toEqual([
          200,
          expect.stringContaining("from another"),
        ]);
      });

      test("a request that waits is sent again when its node is killed", async () => {
        const { nodes, url } = await startNodes(kind);
        const busy = nodes.map(({ server }) => post(server.url, {}).catch(() => "killed"));
        await until(() => nodes.every(({ asks }) => asks.length === 1));
        const asked = post(url, { stream, content: "waits" });
        const first = await firstOf(nodes, async (node) => (await countWaiting(node)) > 0);
        first.server.kill("SIGKILL");
        const others = nodes.filter((node) => node !== first);
        const second = await firstOf(others, async (node) => (await countWaiting(node)) > 0);
        answer(second, "made room");
        await until(() => second.asks.length === 1);
        answer(second, "from another");
        const response = await asked;
        expect([response.status, await response.text()]).toEqual([
          200,
          expect.stringContaining("from another"),
        ]);
        for (const node of others) if (node.asks.length > 0) answer(node, "done");
        await Promise.all(busy);
      });
    });

    test("a stream that has begun is cut when its node is killed, and never begins anew", async () => {
      const { nodes, url } = await startNodes(kind);
      const asked = post(url, { stream: true });
      const first = await firstOf(nodes, ({ asks }) => asks.length > 0);
      first.agent.say({ type: "delta", ask: first.asks[0]?.ask, data: chunk("begun") });
      const response = await asked;
      const reader = response.body?.getReader();
      expect(new TextDecoder().decode((await reader?.read())?.value)).toContain("begun");
      first.server.kill("SIGKILL");
      const rest = await reader?.read().then(
        ({ done }) => done,
        () => true,
      );
      expect(rest).toBe(true);
      expect(nodes.flatMap(({ asks }) => asks)).toHaveLength(1);
    });

    test("no request fails while a node stops: it takes requests as a lame duck, and then others get them", async () => {
      const { nodes, url } = await startNodes(kind, [...FLAGS, "--lame-duck", "4s", "--drain", "10s"]);
      const [stopping] = nodes;
      const running = post(stopping?.server.url ?? "", {});
      await until(() => stopping?.asks.length === 1);
      stopping?.server.kill("SIGTERM");
      await stopping?.server.output(/"event":"draining"/);
      const others = nodes.filter((node) => node !== stopping);
      for (let left = 6; left > 0; left--) {
        const asked = post(url, {});
        answer(await firstOf(others, ({ asks }) => asks.length > 0), "from another");
        expect((await asked).status).toBe(200);
      }
      answer(nodes[0] as Node, "finished");
      expect((await running).status).toBe(200);
      expect(await stopping?.server.exited).toEqual({ code: 0, signal: null });
    });
  });
