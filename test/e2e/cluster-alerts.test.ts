import { expect, onTestFinished, test } from "bun:test";
import { describeWithCluster, startCluster } from "../support/cluster-nodes.ts";
import { ADMIN_KEY } from "../support/database-server.ts";
import type { Executable } from "../support/executable.ts";
import { until } from "../support/until.ts";
import { connectV2Agent, V2_HELLO } from "../support/v2-agent.ts";

const HEADERS = { authorization: ADMIN_KEY };

interface Report {
  problems: { event: string; code: string }[];
}

function startReceiver() {
  const reports: Report[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      reports.push((await request.json()) as Report);
      return new Response();
    },
  });
  onTestFinished(() => server.stop(true));
  const count = (event: string, code: string) =>
    reports.flatMap(({ problems }) => problems).filter((each) => each.event === event && each.code === code)
      .length;
  return { count, url: `http://127.0.0.1:${server.port}/` };
}

async function problemsOf({ url }: Executable) {
  const response = await fetch(`${url}/admin/problems`, { headers: HEADERS });
  const { problems } = (await response.json()) as { problems: { code: string; since: string }[] };
  return problems;
}

const codesOf = async (node: Executable) => (await problemsOf(node)).map(({ code }) => code);

/** A problem of this age was noted by all nodes more than 20 s ago, and is not reported twice. */
const KNOWN_MS = 40_000;

describeWithCluster("the alerts of two nodes", () => {
  test("both nodes list the problems of both, one of them reports them, and the other one goes on when it is lost", async () => {
    const receiver = startReceiver();
    const cluster = await startCluster(["a", "b"], ["--alert-webhook", receiver.url]);
    const { a, b } = cluster.nodes as { a: Executable; b: Executable };
    for (const [node, name] of [
      [a, "at-a"],
      [b, "at-b"],
    ] as const) {
      const agent = await connectV2Agent(node.url, {
        hello: { ...V2_HELLO, name, models: [{ id: name }] },
        key: cluster.agentKey,
        onAsk: ({ ask }, agent) =>
          agent.say({ type: "fail", ask, error: { message: "no" }, retryable: false, status: 500 }),
      });
      onTestFinished(() => void agent.stop());
    }
    await cluster.offers(2);
    for (let time = 0; time < 4; time++)
      for (const [node, model] of [
        [a, "at-a"],
        [b, "at-b"],
      ] as const)
        await fetch(`${node.url}/api/ask`, {
          ...{
            method: "POST",
            headers: HEADERS,
            body: JSON.stringify({ content: "hi", model, stream: true }),
          },
        });
    for (const node of [a, b])
      await until(async () => (await codesOf(node)).filter((code) => code === "agent_failing").length === 2);
    await until(() => receiver.count("started", "agent_failing") === 2);
    await until(async () => {
      const problems = await problemsOf(a);
      return problems.every(({ since }) => Date.now() - Date.parse(since) > KNOWN_MS);
    });
    const isSender = /"event":"alert_sent"/;
    const sender = isSender.test(a.stdout()) ? a : b;
    const other = sender === a ? b : a;
    sender.kill("SIGKILL");
    await until(() => receiver.count("started", "node_lost") === 1);
    expect(other.stdout()).toMatch(isSender);
    // Nothing was reported twice: the other node knew what was.
    expect(receiver.count("started", "agent_failing")).toBe(2);
    expect(await codesOf(other)).toContain("node_lost");
  });
});
