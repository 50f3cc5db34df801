import { type Services, startServices, whatIsMissing } from "../chaos/services.ts";
import { CLUSTER_KEY } from "../support/keys.ts";
import { type Context, Skipped } from "./scenario.ts";
import type { Target } from "./workshop.ts";

const JOIN_WITHIN_MS = 10_000;

/** Starts servers of ours on PostgreSQL, with an empty database each time. */
export interface Clusters {
  natsPort: number;
  /** One server on PostgreSQL without NATS. */
  startOnPostgres(): Promise<Target>;
  /** The nodes of a new cluster. Resolves once each hears all others. */
  startNodes(count: number): Promise<[Target, ...Target[]]>;
}

/** Calls `use` with a PostgreSQL and a NATS server of its own, which are gone afterwards. */
export async function withClusters<Result>(
  context: Context,
  use: (clusters: Clusters) => Promise<Result>,
): Promise<Result> {
  const missing = whatIsMissing();
  if (missing !== undefined) throw new Skipped(missing);
  const services = await startServices([]);
  try {
    return await use(clustersOf(context, services));
  } finally {
    await context.workshop.stopTargets();
    await services.remove();
  }
}

function clustersOf({ workshop }: Context, { postgres, nats }: Services): Clusters {
  const natsUrl = `nats://127.0.0.1:${nats.port}`;
  return {
    natsPort: nats.port,
    async startOnPostgres() {
      return workshop.startOurs({ env: { CHATGPT_API_DATABASE: await postgres.newDatabase() } });
    },
    async startNodes(count) {
      const env = {
        CHATGPT_API_DATABASE: await postgres.newDatabase(),
        CHATGPT_API_CLUSTER_KEY: CLUSTER_KEY,
        CHATGPT_API_NATS: natsUrl,
        CHATGPT_API_CLUSTER_NAME: `bench-${crypto.randomUUID()}`,
      };
      const start = (number: number) =>
        workshop.startOurs({ env: { ...env, CHATGPT_API_NODE_NAME: `node-${number}` } });
      const nodes: [Target, ...Target[]] = [await start(1)];
      while (nodes.length < count) nodes.push(await start(nodes.length + 1));
      for (const node of nodes) await hearsAll(node, count);
      return nodes;
    },
  };
}

async function hearsAll({ port }: Target, count: number): Promise<void> {
  const limit = performance.now() + JOIN_WITHIN_MS;
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/ready?agents=0`);
    const { nodes } = (await response.json()) as { nodes?: number };
    if (nodes === count) return;
    if (performance.now() > limit) throw new Error(`A node hears ${nodes} nodes, not ${count}.`);
    await Bun.sleep(20);
  }
}
