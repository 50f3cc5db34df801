import { compare, oneLoad } from "../compare.ts";
import { dataFor, tokenOf } from "../data-folder.ts";
import { askExchange } from "../exchanges.ts";
import type { Row } from "../rows.ts";
import type { Context, Scenario } from "../scenario.ts";
import { connectAgents, V1_AGENTS } from "../targets.ts";

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

async function startWith({ workshop }: Context, tokens: number) {
  const data = await dataFor(workshop, "tokens", { users: TOKENS_PAST_CACHE });
  const target = await workshop.startOurs({ data });
  await connectAgents(workshop, target, V1_AGENTS);
  return oneLoad(target, { callers: CALLERS, exchange: askExchange(), tokenOf: inTurn(tokens) });
}

function withTokens(context: Context, tokens: number, scenario: string): Promise<Row[]> {
  const [base, value] = [() => startWith(context, 1), () => startWith(context, tokens)];
  const metrics = ["perSecond", "p50Ms", "cpuMicros"] as const;
  return compare(context, { base, value }, { scenario, unit: "ask", metrics });
}

export const TOKENS: Scenario = {
  name: "tokens",
  about: "the tokens of 1,000 users in turn, and more tokens than the cache holds, compared with one token",
  sets: [],
  run: async (context) => [
    ...(await withTokens(context, 1_000, "1,000 tokens, compared with one")),
    ...(await withTokens(context, TOKENS_PAST_CACHE, "tokens not in the cache, compared with one")),
  ],
};
