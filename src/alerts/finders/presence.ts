import { BoundedMap } from "../../bounded-map.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../durations.ts";
import type { AgentIdentity, LeaveReason } from "../../relay/types.ts";
import { type Finding, shownName } from "../finding.ts";

interface Known {
  name: string;
  /** When it first connected, or connected again after it was forgotten. */
  firstAt: number;
  /** How long it was connected before the present connection. */
  connectedMs: number;
  /** When it connected; undefined while it is away. */
  since: number | undefined;
  leftAt: number;
}

const AGENTS_MAX = 5_000;
/**
 * An agent is regular if it was connected for nearly all of the time since it first came, and that is long: a laptop that is
 * closed every evening is not, nor is one that came this morning.
 */
const KNOWN_MS = 12 * HOUR_MS;
const PRESENT_SHARE = 0.9;
/** A restart or an update takes less. */
const AWAY_MS = 15 * MINUTE_MS;
/** An agent that is still away after this time counts as removed. */
const FORGOTTEN_MS = 3 * DAY_MS;

/** Remembers which agents are regularly here, as long as the server runs, and finds those that left and stay away. */
export function createPresence() {
  const agents = new BoundedMap<string, Known>(AGENTS_MAX);
  const away = new Set<string>();
  let hadAgents = false;

  return {
    /** Whether an agent has connected since the start. */
    get hadAgents() {
      return hadAgents;
    },
    joined({ id, name }: Pick<AgentIdentity, "id" | "name">, now: number): void {
      hadAgents = true;
      const known = agents.get(id) ?? { firstAt: now, connectedMs: 0, since: undefined, leftAt: now };
      // A new connection may replace one that still counts.
      const connectedMs = known.connectedMs + (known.since === undefined ? 0 : now - known.since);
      agents.set(id, { ...known, name, connectedMs, since: now });
      away.delete(id);
    },
    /** A reason is the server's: the agent was disconnected on purpose, or is here under another connection. */
    left({ id }: Pick<AgentIdentity, "id">, reason: LeaveReason, now: number): void {
      const known = agents.get(id);
      if (known?.since === undefined || reason === "replaced") return;
      if (reason === "disconnected" || reason === "key_revoked") {
        agents.delete(id);
        return;
      }
      const connectedMs = known.connectedMs + now - known.since;
      agents.set(id, { ...known, connectedMs, since: undefined, leftAt: now });
      away.add(id);
    },
    find(isElsewhere: (id: string) => boolean, now: number): Finding[] {
      const found: Finding[] = [];
      for (const id of away) {
        const known = agents.get(id);
        if (!known || now - known.leftAt > FORGOTTEN_MS) {
          agents.delete(id);
          away.delete(id);
        } else if (isRegular(known) && now - known.leftAt >= AWAY_MS && !isElsewhere(id))
          found.push(findingOf(id, known));
      }
      return found;
    },
  };
}

function isRegular({ firstAt, connectedMs, leftAt }: Known): boolean {
  const knownMs = leftAt - firstAt;
  return knownMs >= KNOWN_MS && connectedMs >= PRESENT_SHARE * knownMs;
}

function findingOf(id: string, { name, leftAt }: Known): Finding {
  const agent = { id: shownName(id), name: shownName(name) };
  return {
    ...{ code: "agent_missing", subject: agent.id, severity: "warning", since: leftAt },
    details: { agents: [agent] },
  };
}
