import type { Exchange } from "../exchanges.ts";
import { openHttpConnection } from "../http-connection.ts";
import { createTally } from "../tally.ts";
import type { Target } from "../workshop.ts";

const CALLERS = 32;

let epoch = 500;

/** Makes so many exchanges, by a few callers at the same time. */
export async function exchangeMany(
  target: Target,
  exchange: Exchange,
  count: number,
  tokenOf: (caller: number) => string = () => target.adminKey,
): Promise<void> {
  const tally = createTally();
  const first = ++epoch * 100_000;
  let next = 0;
  const call = async (caller: number) => {
    const connection = await openHttpConnection(target.port);
    try {
      while (next < count) {
        const place = { connection, token: tokenOf(caller), caller, exchange: first + next++ };
        await exchange(place, () => tally);
        // Latencies of all of them would be the memory of the bench.
        tally.latenciesMs.length = 0;
      }
    } finally {
      connection.close();
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, caller) => call(caller)));
  target.emptyLog();
}
