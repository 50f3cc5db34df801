import { expect, test } from "bun:test";
import { join } from "node:path";
import { connectNats } from "../../src/cluster/wire/nats.ts";
import { makeCertificate } from "../support/certificate.ts";
import { describeWithCluster, startNodes } from "../support/cluster-nodes.ts";
import { ADMIN_KEY, call } from "../support/database-server.ts";
import { type Executable, runExecutable } from "../support/executable.ts";
import { CLUSTER_KEY } from "../support/keys.ts";
import { createNatsOperator } from "../support/nats-operator.ts";
import { describeWithNatsCluster, describeWithOwnNats } from "../support/nats-server.ts";
import { newDatabase } from "../support/postgres.ts";
import { tempFolder } from "../support/store.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";
import { chunk, connectV2Agent, V2_HELLO } from "../support/v2-agent.ts";

const STREAMS = 50;
const PIECES = Array.from({ length: 30 }, (_, at) => `${at}`);

/** Connects an agent that streams the pieces over some seconds. Resolves once the other node knows it. */
async function connectStreamer(home: Executable, other: Executable): Promise<void> {
  await connectV2Agent(home.url, {
    hello: { ...V2_HELLO, slots: STREAMS },
    async onAsk({ ask }, agent) {
      agent.say({ type: "accept", ask });
      for (const piece of PIECES) {
        agent.say({ type: "delta", ask, data: chunk(piece) });
        await Bun.sleep(100);
      }
      agent.say({ type: "delta", ask, data: "[DONE]" });
      agent.say({ type: "done", ask, status: 200 });
    },
  });
  await until(async () => {
    const { body } = await call(other, "/v1/models", ADMIN_KEY);
    return (body as unknown as { data: unknown[] }).data.length === 1;
  });
}

/** Resolves with the pieces of a streamed answer, and with what ended it. */
async function streamAt(node: Executable): Promise<string[]> {
  const response = await fetch(`${node.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "hi" }] }),
  });
  const text = await response.text();
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data = ""]) =>
    data.startsWith("{") ? JSON.parse(data).choices?.[0]?.delta?.content : data,
  );
}

const WHOLE = [...PIECES, "[DONE]"];

/** Starts streams from the agent of one node to callers of the other, and lets something happen meanwhile. */
async function streamThrough([a, b]: readonly Executable[], meanwhile: () => Promise<void>): Promise<void> {
  if (!a || !b) throw new Error("two nodes are needed");
  await connectStreamer(b, a);
  const streams = Array.from({ length: STREAMS }, () => streamAt(a));
  await Bun.sleep(1_000);
  await meanwhile();
  for (const pieces of await Promise.all(streams)) expect(pieces).toEqual(WHOLE);
}

const addressOf = (port: number) => `nats://127.0.0.1:${port}`;

describeWithCluster("nodes and their NATS", () => {
  describeWithNatsCluster("three servers", 3, (servers) => {
    test("50 streams go on and lose nothing when the server that a node uses is killed", async () => {
      const env = { CHATGPT_API_NATS: servers.map(({ port }) => addressOf(port)).join() };
      const nodes = await startNodes(["a", "b"], [], env);
      const used = async ([a]: typeof nodes) => {
        const [, port] = (await a?.output(/"nats_connected","server":"127\.0\.0\.1:(\d+)"/)) ?? [];
        return servers.find((server) => `${server.port}` === port);
      };
      await streamThrough(nodes, async () => (await used(nodes))?.kill());
      expect(nodes[0]?.stdout()).toContain('"nats_lost"');
      expect(nodes.map((node) => /"node_lost"|"peer_reset"/.test(node.stdout()))).toEqual([false, false]);
    });
  });

  describeWithOwnNats("one server", (nats) => {
    test("50 streams go on and lose nothing when a connection is cut in the middle of a message", async () => {
      const proxy = await startTcpProxy(nats.port);
      const nodes = await startNodes(["a", "b"], [], { CHATGPT_API_NATS: addressOf(proxy.port) });
      await streamThrough(nodes, async () => {
        for (let time = 0; time < 3; time++) {
          proxy.cutNext();
          await Bun.sleep(400);
          proxy.comeBack();
          await Bun.sleep(200);
        }
      });
      expect(nodes.map((node) => /"node_lost"|"peer_reset"/.test(node.stdout()))).toEqual([false, false]);
    });

    test("a login by user and password, or by a token, is used and is in no output", async () => {
      for (const [login, args] of [
        ["ann:p%40ssword-of-nats", ["--user", "ann", "--pass", "p@ssword-of-nats"]],
        ["token-of-nats", ["--auth", "token-of-nats"]],
      ] as const) {
        await nats.kill();
        await nats.start(...args);
        const address = `nats://${login}@127.0.0.1:${nats.port}`;
        const nodes = await startNodes(["a", "b"], [], { CHATGPT_API_NATS: address });
        for (const node of nodes) node.keepSecret(args.at(-1) ?? "");
      }
      await nats.kill();
      await nats.start();
    });

    test("nodes log in with a credentials file, whose seed is in no output", async () => {
      const operator = await createNatsOperator();
      await nats.startWith(operator.config);
      const creds = await operator.creds();
      const file = join(tempFolder(), "node.creds");
      await Bun.write(file, creds);
      const env = { CHATGPT_API_NATS: addressOf(nats.port), CHATGPT_API_NATS_CREDS: file };
      const nodes = await startNodes(["a", "b"], [], env);
      for (const secret of creds.split("\n").filter((line) => /^(SU|ey)/.test(line)))
        for (const node of nodes) node.keepSecret(secret);
    });

    test("a node does not start if NATS forbids it the subjects, and says what to allow in one line", async () => {
      await nats.startWith(
        `authorization { users = [{ user: u, password: p, permissions: { publish: "x", subscribe: ">" } }] }\n`,
      );
      const { code, stdout, stderr } = await runExecutable(["0", ADMIN_KEY], {
        env: {
          CHATGPT_API_DATABASE: await newDatabase(),
          CHATGPT_API_CLUSTER_KEY: CLUSTER_KEY,
          CHATGPT_API_NATS: `nats://u:p@127.0.0.1:${nats.port}`,
        },
      });
      expect(code).toBe(1);
      expect(`${stdout}${stderr}`).toMatch(
        /NATS forbids this node to publish on chatgpt-api\.default\.beat, .* Allow its user to publish and to subscribe on chatgpt-api\.default\.>\.\n/,
      );
      expect(stdout).not.toContain('"listening"');
    });

    test("a certificate of a private authority is trusted if NODE_EXTRA_CA_CERTS names it", async () => {
      const { cert, key, ca } = await makeCertificate("localhost");
      await nats.kill();
      await nats.start("--tls", "--tlscert", cert, "--tlskey", key);
      const env = { CHATGPT_API_NATS: `tls://localhost:${nats.port}`, NODE_EXTRA_CA_CERTS: ca };
      await startNodes(["a", "b"], [], env);
      const refused = await connectNats({
        ...{ servers: [env.CHATGPT_API_NATS], credsFile: undefined, clusterName: "test", nodeName: "a" },
        ...{ startMs: 500, log: { info() {}, warn() {} } },
      }).catch((error: Error) => error.message);
      expect(refused).toBe(
        `NATS at localhost:${nats.port} has a certificate that is not trusted. Name its authority in NODE_EXTRA_CA_CERTS, or correct the host in --nats.`,
      );
      await nats.kill();
      await nats.start();
    });
  });
});
