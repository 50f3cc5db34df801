import { createPool, type Pool } from "./pool.ts";

/**
 * Two pools, as the client queues statements behind a slow one on the same connection, even when other
 * connections are free.
 */
export interface Pools {
  /** For statements that an ask or a change waits for. */
  hot: Pool;
  /** For lists, sums, purges and large changes. */
  cold: Pool;
}

const HOT = { connections: 4, withinMs: 2_000, name: "chatgpt-api-server" };
const COLD = { connections: 2, withinMs: 60_000, name: "chatgpt-api-server lists" };

export function createPools(url: string): Pools {
  const cold = createPool({ url, ...COLD });
  // The cold pool would notice a database that hangs a minute later.
  return { hot: createPool({ url, ...HOT, onHung: cold.renew }), cold };
}
