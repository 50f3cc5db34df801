import { BoundedMap } from "../bounded-map.ts";
import { DAY_MS } from "../durations.ts";
import type { NamedGroup, UsageRow } from "./store.ts";

/** The name that an agent or a user of the usage had when it was seen last. */
export interface UsageName {
  kind: NamedGroup;
  id: string;
  name: string;
  seenAt: number;
}

const NAMES_MAX = 10_000;
const NAME_LENGTH_MAX = 256;

/**
 * Returns a function that passes the name of the agent of an ask to `put`: when it has changed, and once a day so that
 * it is kept as long as the usage. It runs for each ask.
 */
export function createNameNotes(put: (name: UsageName) => void) {
  const noted = new BoundedMap<string, { name: string; day: number }>(NAMES_MAX);
  return ({ agent, agentName, at }: Pick<UsageRow, "agent" | "agentName" | "at">): void => {
    if (agent === undefined || agentName === undefined || agentName === "") return;
    const day = Math.floor(at / DAY_MS);
    const before = noted.get(agent);
    if (before?.name === agentName && before.day === day) return;
    noted.set(agent, { name: agentName, day });
    const [id, name] = [agent.slice(0, NAME_LENGTH_MAX), agentName.slice(0, NAME_LENGTH_MAX)];
    put({ kind: "agent", id, name, seenAt: at });
  };
}

export const nameKey = ({ kind, id }: UsageName): string => `${kind} ${id}`;
