import { userPrincipal } from "../../src/principal.ts";
import type { UsageRow } from "../../src/store/store.ts";

/** Returns the usage row of an ask that was answered, with these changes. */
export const usageRow = (changes: Partial<UsageRow> = {}): UsageRow => ({
  at: 1_000,
  requestId: "req_1",
  principal: userPrincipal("ann"),
  agent: "x",
  agentName: undefined,
  model: "llama",
  surface: "chat",
  outcome: "ok",
  upstreamStatus: 200,
  tries: 1,
  queueMs: 2,
  firstByteMs: 30,
  durationMs: 400,
  inputTokens: 10,
  outputTokens: 20,
  tokensEstimated: false,
  ...changes,
});

/** The parts of the tokens of asks whose upstream reported none. */
export const NO_DETAILS = { cachedTokens: 0, cacheCreationTokens: 0, reasoningTokens: 0 };

/** The sums of asks that are only counted in tokens. */
export const NO_MEDIA = { audioMs: 0, images: 0, searchUnits: 0, inputBytes: 0, outputBytes: 0 };
