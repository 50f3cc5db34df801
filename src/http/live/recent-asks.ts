import type { Principal } from "../../principal.ts";
import { type AskRecord, shownModel } from "../../relay/record.ts";
import type { LiveAsk } from "./schema.ts";

/** A finished ask, without the name of its user. */
export interface RecentAsk extends Omit<LiveAsk, "at" | "user"> {
  /** When it ended, in milliseconds since 1970. */
  at: number;
  principal: Principal;
}

/** The asks that finished last. They are numbered from 1 in that order. */
export function createRecentAsks(lengthMax: number) {
  const ring: RecentAsk[] = [];
  let count = 0;
  return {
    note(record: AskRecord): void {
      ring[count++ % lengthMax] = recentAskOf(record);
    },
    /** How many asks were noted, which is the number of the last one. */
    get count() {
      return count;
    },
    /** Returns the asks after number `from` up to number `to`, newest first, as far as they are still kept. */
    between(from: number, to: number): RecentAsk[] {
      const first = Math.max(from, count - lengthMax, 0);
      const asks: RecentAsk[] = [];
      for (let at = to - 1; at >= first; at--) {
        const ask = ring[at % lengthMax];
        if (ask) asks.push(ask);
      }
      return asks;
    },
  };
}

/** Keeps no more of a text than is shown, as the caller chose some of them. */
function recentAskOf(record: AskRecord): RecentAsk {
  const { principal, agent, agentName = "", surface, outcome, at, durationMs } = record;
  return {
    request_id: record.requestId,
    at: at + durationMs,
    principal,
    agent: agent === undefined ? null : { id: agent, name: agentName },
    model: shownModel(record.model) ?? null,
    surface,
    outcome,
    upstream_status: record.upstreamStatus ?? null,
    queue_ms: record.queueMs,
    first_byte_ms: record.firstByteMs ?? null,
    duration_ms: durationMs,
    prompt_tokens: record.inputTokens ?? null,
    completion_tokens: record.outputTokens ?? null,
    tokens_estimated: record.tokensEstimated,
  };
}
