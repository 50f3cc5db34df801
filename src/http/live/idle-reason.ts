import { BoundedMap } from "../../bounded-map.ts";
import type { Agent } from "../../relay/agent.ts";
import type { AskRecord } from "../../relay/record.ts";

/** When each model was last asked for. */
export interface AskedModels {
  note(record: AskRecord): void;
  /** Returns milliseconds since 1970; undefined if the model was never asked for. */
  lastAt(model: string): number | undefined;
}

const MODELS_MAX = 1_000;

/** Only models that agents offer, or did, are remembered: a caller can make up any other name. */
export function createAskedModels(knowsModel: (model: string) => boolean): AskedModels {
  const asked = new BoundedMap<string, number>(MODELS_MAX);
  return {
    note({ model, at }) {
      if (model === undefined || !knowsModel(model)) return;
      asked.set(model, at);
    },
    lastAt: (model) => asked.get(model),
  };
}

const RECENT_MS = 15 * 60_000;

/** Returns in words why an agent gets no requests; null if it has some, or had lately. */
export function idleReason(agent: Agent, asked: Pick<AskedModels, "lastAt">, now: number): string | null {
  const { offer, inUse, sentAt, registeredAt } = agent;
  const reason = unavailableReason(agent);
  if (reason !== null || inUse.size > 0) return reason;
  if (agent.cooldownUntil > now) return "it has just failed, so other agents are preferred";
  if (agent.mustAnswerPing) return "it took too long for its last request and has not answered a ping since";
  if (sentAt !== undefined && now - sentAt < RECENT_MS) return null;
  const since = Math.max(registeredAt, now - RECENT_MS);
  const isAsked = offer.models.some(({ id }) => (asked.lastAt(id) ?? 0) >= since);
  return isAsked
    ? "other agents took the requests for its models"
    : "there were no requests for its models lately";
}

function unavailableReason({ leaving, paused, congestedAt, offer, inUse, isV1 }: Agent): string | null {
  if (leaving) return "it is draining";
  if (paused) return "it is paused";
  if (congestedAt !== undefined) return "it does not read what it is sent";
  if (offer.models.length === 0) return "it offers no model";
  if (!isV1 && offer.endpoints.length === 0) return "it offers no endpoint that this server supports";
  return inUse.size >= offer.slots ? "all its slots are in use" : null;
}
