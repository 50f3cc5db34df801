import { describe, test } from "bun:test";
import { connect } from "node:net";
import { ADMIN_KEY, addUser, call } from "./database-server.ts";
import { type Executable, startExecutable } from "./executable.ts";
import { AGENT_KEY, CLUSTER_KEY } from "./keys.ts";
import { isPostgresThere, newDatabase } from "./postgres.ts";
import { tempFolder } from "./store.ts";
import { until } from "./until.ts";

const NATS = process.env["TEST_NATS"] ?? "nats://127.0.0.1:4222";
/** The names of tests that are skipped end with it. */
export const CLUSTER_ADVICE =
  "(skipped: install postgresql and nats-server, and start both on 127.0.0.1, or set TEST_DATABASE and TEST_NATS)";
const CONNECT_MS = 2_000;

export const isNatsThere = await accepts(new URL(NATS));

/** Whether something listens at the address. */
function accepts({ hostname, port }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: CONNECT_MS });
    const settle = (isThere: boolean) => () => {
      socket.destroy();
      resolve(isThere);
    };
    socket.on("connect", settle(true)).on("error", settle(false)).on("timeout", settle(false));
  });
}

/** Defines tests that need PostgreSQL and NATS. Without them they are skipped with one line. */
export function describeWithCluster(title: string, tests: () => void): void {
  if (isPostgresThere && isNatsThere) describe(title, tests);
  else test.skip(`${title} ${CLUSTER_ADVICE}`, () => {});
}

/** Starts nodes of a new cluster with an empty database, without agents. Resolves once each hears all others and is ready. */
export async function startNodes(
  names: readonly string[],
  args: readonly string[] = [],
  ownEnv: Record<string, string> = {},
): Promise<Executable[]> {
  const database = await newDatabase();
  const clusterName = `test-${process.pid}-${crypto.randomUUID().slice(0, 8)}`;
  const start = (name: string) =>
    startExecutable({
      args: [
        "0",
        ADMIN_KEY,
        "--agent-key",
        AGENT_KEY,
        "--node-name",
        name,
        "--cluster-name",
        clusterName,
        ...args,
      ],
      env: {
        CHATGPT_API_DATABASE: database,
        CHATGPT_API_CLUSTER_KEY: CLUSTER_KEY,
        CHATGPT_API_NATS: NATS,
        ...ownEnv,
      },
      data: `${tempFolder()}/none`,
    });
  const nodes = await Promise.all(names.map(start));
  for (const [index, node] of nodes.entries())
    for (const name of names.toSpliced(index, 1))
      await node.output(new RegExp(`node_joined\\b[^\\n]*\\b${name}\\b`));
  // Ready: it knows which agents the others have.
  for (const { url } of nodes) await until(async () => (await fetch(`${url}/ready?agents=0`)).ok);
  return nodes;
}

/** Starts nodes as `startNodes` does, with a user. Returns the nodes by their names. */
export async function startCluster(names: readonly string[], args: readonly string[] = []) {
  const list = await startNodes(names, args);
  const nodes = Object.fromEntries(names.map((name, index) => [name, list[index] as Executable]));
  const { token } = await addUser(list[0] as Executable);
  const modelsAt = async (node: Executable) => {
    const { body } = await call(node, "/v1/models", token);
    return (body as unknown as { data?: unknown[] }).data?.length;
  };
  return {
    nodes,
    agentKey: AGENT_KEY,
    token,
    /** Resolves once every node knows what the agents of the others offer: this number of models. */
    async offers(models: number): Promise<void> {
      for (const node of list) await until(async () => (await modelsAt(node)) === models);
    },
  };
}
