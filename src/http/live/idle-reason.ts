import { BoundedMap } from "../../bounded-map.ts";
import { MINUTE_MS } from "../../durations.ts";
import type { Agent } from "../../relay/agent.ts";
import { type Circuit, shownReason } from "../../relay/health/circuit.ts";
import type { AskRecord } from "../../relay/record.ts";

export type AskedModels = ReturnType<typeof createAskedModels>;

const MODELS_MAX = 1_000;

/**
 * Remembers when each model was last requested. Only models that an agent offers, or did, are remembered: a
 * caller can make up any other name.
 */
export function createAskedModels(knowsModel: (model: string) => boolean) {
  const asked = new BoundedMap<string, number>(MODELS_MAX);
  return {
    note({ model, at }: Pick<AskRecord, "model" | "at">): void {
      if (model !== undefined && knowsModel(model)) asked.set(model, at);
    },
    /** Returns milliseconds since 1970; undefined if the model was never requested. */
    lastAt: (model: string) => asked.get(model),
  };
}

const RECENT_MS = 15 * MINUTE_MS;

/**
 * Returns a sentence that says why an agent gets no requests. Returns null if it has some, or was sent one
 * recently.
 */
export function idleReason(agent: Agent, asked: Pick<AskedModels, "lastAt">, now: number): string | null {
  const { offer, inUse, sentAt, registeredAt } = agent;
  const reason = unavailableReason(agent) ?? blockedReason(agent, now);
  if (reason !== null || inUse.size > 0) return reason;
  const avoided = circuitsOf(agent).find((circuit) => circuit.isAvoidedAt(now));
  if (avoided) return `The agent has just failed, so other agents are preferred: ${failureOf(avoided)}.`;
  if (agent.mustAnswerPing)
    return "The agent took too long for its last request and has not answered a ping since.";
  if (sentAt !== undefined && now - sentAt < RECENT_MS) return null;
  const since = Math.max(registeredAt, now - RECENT_MS);
  const isAsked = offer.models.some(({ id }) => (asked.lastAt(id) ?? 0) >= since);
  return isAsked
    ? "Other agents took the requests for its models."
    : "There were no recent requests for its models.";
}

/** Returns the reason if the agent gets no request for any of its models. */
function blockedReason(agent: Agent, now: number): string | null {
  const blocked = circuitsOf(agent).filter((circuit) => circuit.isBlockedAt(now));
  const [first] = blocked.toSorted((a, b) => a.waitMs(now) - b.waitMs(now));
  if (!first || blocked.length < agent.offer.models.length) return null;
  const why = `because it failed: ${failureOf(first)}.`;
  if (first.probe) return `The agent gets one request at a time, ${why}`;
  return `The agent gets no requests for ${Math.ceil(first.waitMs(now) / 1000)} s, ${why}`;
}

const circuitsOf = ({ circuits }: Agent): Circuit[] => [...(circuits?.values() ?? [])];
const failureOf = ({ lastFailure }: Circuit): string => shownReason(lastFailure.error);

function unavailableReason({ leaving, paused, congestedAt, offer, inUse, isV1 }: Agent): string | null {
  if (leaving) return "The agent is draining.";
  if (paused) return "The agent is paused.";
  if (congestedAt !== undefined) return "The agent does not read what the server sends.";
  if (offer.models.length === 0) return "The agent offers no models.";
  if (!isV1 && offer.endpoints.length === 0) return "The agent offers no endpoint that this server supports.";
  return inUse.size >= offer.slots ? "All its slots are in use." : null;
}
