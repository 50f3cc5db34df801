import { BoundedMap } from "../../bounded-map.ts";
import type { Agent } from "../../relay/agent.ts";
import type { AskRecord } from "../../relay/record.ts";

/** When models were last asked for. */
export interface AskedModels {
  note(record: AskRecord): void;
  /** Milliseconds since 1970; undefined where nobody has. */
  lastAt(model: string): number | undefined;
}

const MODELS_MAX = 1_000;

/** Of models that agents offer, or did: a caller can make up any other name. */
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

const LATELY_MS = 15 * 60_000;

/** In words for people why an agent gets no work; null where it has some, or had lately. */
export function whyNoWork(agent: Agent, asked: Pick<AskedModels, "lastAt">, now: number): string | null {
  const { offer, inUse, sentAt, registeredAt } = agent;
  const cannot = whyItCannot(agent);
  if (cannot !== null || inUse.size > 0) return cannot;
  if (agent.cooldownUntil > now) return "it failed just now, and others are preferred";
  if (agent.mustAnswerPing) return "it took too long for its last ask, and has answered no ping since";
  if (sentAt !== undefined && now - sentAt < LATELY_MS) return null;
  const since = Math.max(registeredAt, now - LATELY_MS);
  const isAsked = offer.models.some(({ id }) => (asked.lastAt(id) ?? 0) >= since);
  return isAsked ? "other agents took what was asked" : "nobody has lately asked for a model that it offers";
}

function whyItCannot({ leaving, paused, congestedAt, offer, inUse, isV1 }: Agent): string | null {
  if (leaving) return "it is draining";
  if (paused) return "it is paused";
  if (congestedAt !== undefined) return "it does not read what it is sent";
  if (offer.models.length === 0) return "it offers no model";
  if (!isV1 && offer.endpoints.length === 0) return "it offers no endpoint that the server has";
  return inUse.size >= offer.slots ? "all its slots are in use" : null;
}
