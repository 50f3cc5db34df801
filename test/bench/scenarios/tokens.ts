import { makeData, tokenOf } from "../data-folder.ts";
import { askExchange } from "../exchanges.ts";
import { measurePairs, rowsOf } from "../pairs.ts";
import type { Row } from "../rows.ts";
import type { Context, Scenario } from "../scenario.ts";
import { connectAgents, V1_AGENTS } from "../targets.ts";
import type { Target } from "../workshop.ts";

const CALLERS = 32;

/**
 * Twice as many as the server caches. When they are used in turn, each has left the cache when it is used
 * again.
 */
const TOKENS_PAST_CACHE = 20_000;

/** Returns a function that returns the tokens in turn, for all callers together. */
function inTurn(count: number): () => string {
  let next = 0;
  return () => tokenOf(next++ % count);
}

async function compare(context: Context, target: Target, tokens: number, scenario: string): Promise<Row[]> {
  const load = (count: number) => ({ callers: CALLERS, exchange: askExchange(), tokenOf: inTurn(count) });
  const pairs = await measurePairs(context, { target, load: load(1) }, { target, load: load(tokens) });
  return rowsOf(pairs, { scenario, unit: "ask", metrics: ["perSecond", "p50Ms", "cpuMicros"] });
}

export const TOKENS: Scenario = {
  name: "tokens",
  about: "the tokens of 1,000 users in turn, and more tokens than the cache holds, compared with one token",
  async run(context) {
    const data = await makeData(context.workshop, "tokens", { users: TOKENS_PAST_CACHE });
    const target = await context.workshop.startOurs({ data });
    await connectAgents(context.workshop, target, V1_AGENTS);
    return [
      ...(await compare(context, target, 1_000, "1,000 tokens, compared with one")),
      ...(await compare(context, target, TOKENS_PAST_CACHE, "tokens not in the cache, compared with one")),
    ];
  },
};
