import type { FrameOf } from "../protocol/node/frames.ts";
import type { Link, Part } from "./part.ts";

/** The ids and hashes of rows that a node has changed. Other nodes may remember them, or have something of them open. */
export interface Change {
  users?: readonly string[];
  /** The users who lost a token: their open asks end. */
  revoked?: readonly string[];
  agentKeys?: readonly string[];
  /** The sessions that have ended. */
  sessions?: readonly string[];
  /** Settings have other values. */
  settings?: true;
}

/** The effects of a change by another node. Each also comes about without a frame, within a second. */
export interface ChangeTargets {
  /** Users were changed or deleted: looks them up again, also those whose asks are open. */
  usersChanged(ids: readonly string[]): void;
  /** Ends what is open of a user. */
  userRevoked(id: string): void;
  /** Agent keys were changed or revoked: looks them up again, also those of connected agents. */
  agentKeysChanged(ids: readonly string[]): void;
  /** Sessions have ended: closes their live views. */
  sessionsEnded(hashes: readonly string[]): void;
  /** Settings have other values: reads them again. */
  settingsChanged(): void;
  /** Anything may have changed. */
  allChanged(): void;
}

export interface Changes extends Part {
  /** Tells the other nodes what this one has changed. */
  announce(change: Change): void;
}

/** A node announces its changes one by one. A longer list is taken for a change of all. */
const LISTED_MAX = 1_000;

/**
 * Passes changes on between nodes, so that they take effect everywhere at once. That a frame is lost does no harm: what
 * is cached counts for a second only, and what is open is checked about every second.
 */
export function createChanges(link: Pick<Link, "send" | "sendAll">, targets: ChangeTargets): Changes {
  return {
    announce({ agentKeys, settings, ...change }) {
      const listed = { ...change, ...(agentKeys && { agent_keys: agentKeys }) };
      const frame = Object.fromEntries(Object.entries(listed).map(([name, ids]) => [name, [...ids]]));
      link.sendAll({ kind: "changed", ...frame, ...(settings && { settings }) });
    },
    frames: {
      changed: (_from, frame) => apply(targets, frame),
    },
    // What was announced while the nodes were not in touch has reached neither of them.
    joined: ({ id }) => link.send(id, { kind: "changed", all: true }),
  };
}

function apply(targets: ChangeTargets, frame: FrameOf<"changed">): void {
  const { all, users = [], revoked = [], agent_keys = [], sessions = [], settings } = frame;
  if (all || [users, revoked, agent_keys, sessions].some(({ length }) => length > LISTED_MAX)) {
    targets.allChanged();
    return;
  }
  const changed = [...new Set([...users, ...revoked])];
  if (changed.length > 0) targets.usersChanged(changed);
  for (const id of new Set(revoked)) targets.userRevoked(id);
  if (agent_keys.length > 0) targets.agentKeysChanged(agent_keys);
  if (sessions.length > 0) targets.sessionsEnded(sessions);
  if (settings) targets.settingsChanged();
}
