import type { Ask } from "../ask.ts";
import type { Ticket } from "../peers.ts";
import type { Requirement } from "../routing/need.ts";

/** Returns what other nodes must know about an ask that waits for agents with this requirement. */
export function ticketOf(ask: Ask, { work, tags, pin }: Requirement, id: string, now: number): Ticket {
  const { model, models, v1, requests = [] } = work;
  return {
    ...{ id, principal: ask.principal, priority: ask.priority, waitedMs: now - ask.beganAt },
    ...{ pin, prefer: ask.preferred, tags, model, models },
    isForV1: v1 !== undefined,
    requests: requests.map(({ endpoint, stream }) => ({ endpoint, stream })),
    tried: ask.tried,
    isRepeatable: ask.isRepeatable,
  };
}
