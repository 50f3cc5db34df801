import { principalOf, userIdOf } from "../../principal.ts";
import { TRIED_MAX } from "../../protocol/node/bounds.ts";
import { TicketFields } from "../../protocol/node/frames.ts";
import type { Ticket } from "../../relay/peers.ts";

/** Returns the ticket as frames have it; undefined if it has names that are too long for a frame. */
export function ticketFields(ticket: Ticket): TicketFields | undefined {
  const { id, principal, priority, waitedMs, pin, prefer, tags, model, models, requests, tried } = ticket;
  const fields: TicketFields = {
    ...{ id, user: userIdOf(principal), priority, waited_ms: Math.max(waitedMs, 0) },
    ...(pin !== undefined && { pin }),
    ...(prefer !== undefined && { prefer }),
    ...(tags && tags.length > 0 && { tags: tags.map((list) => [...list]) }),
    ...(model !== undefined && { model }),
    ...(models && { models: [...models] }),
    v1: ticket.isForV1,
    requests: requests.map(({ endpoint, stream }) => ({ endpoint, stream })),
    tried: tried
      // Of more than fit, the last ones.
      .slice(-TRIED_MAX)
      .map(({ agentId: agent, isRepeatable: repeatable }) => ({ agent, repeatable })),
    repeatable: ticket.isRepeatable,
  };
  return isPlain(fields) || TicketFields.safeParse(fields).success ? fields : undefined;
}

/** Whether the fields are obviously short enough, as nearly always: the schema takes longer. */
function isPlain({ user, tags, model, models, prefer }: TicketFields): boolean {
  const names = (user?.length ?? 0) + (model?.length ?? 0) + (prefer?.length ?? 0);
  return names <= 128 && prefer !== "" && tags === undefined && models === undefined;
}

export function ticketOf(fields: TicketFields): Ticket {
  const { id, user, priority, pin, prefer, tags, model, models, requests, tried } = fields;
  return {
    ...{ id, principal: principalOf(user), priority, waitedMs: fields.waited_ms },
    ...{ pin, prefer, tags, model, models, requests },
    isForV1: fields.v1,
    tried: tried.map(({ agent: agentId, repeatable: isRepeatable }) => ({ agentId, isRepeatable })),
    isRepeatable: fields.repeatable,
  };
}
