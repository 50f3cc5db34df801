import type { AgentSockets } from "../agents/sockets.ts";
import type { ChangeTargets } from "../cluster/changes.ts";
import type { LiveFeed } from "../http/live/feed.ts";
import type { Identities } from "./identities.ts";

/** The parts of the server that remember what is in the database, or have something of it open. */
export interface ChangedParts extends Pick<Identities, "callers" | "agentKeys" | "sessions"> {
  agents: AgentSockets;
  live: LiveFeed;
  /** Ends what is open of a user. */
  cancelUser(userId: string): void;
  /** Ends the running requests whose users may no longer make them. */
  checkUsers(): void;
  /** Reads the settings that administrators have changed. */
  reloadSettings(): void;
}

/** Returns the effects that changes by other nodes have here. */
export function changeTargets(parts: ChangedParts): ChangeTargets {
  const { callers, agentKeys, sessions, agents, live, checkUsers, cancelUser, reloadSettings } = parts;
  return {
    usersChanged(ids) {
      callers.forget(...ids);
      checkUsers();
    },
    userRevoked: cancelUser,
    agentKeysChanged(ids) {
      agentKeys.forget(...ids);
      agents.checkKeys();
    },
    sessionsEnded(hashes) {
      sessions.forget(hashes);
      live.endSessions(hashes);
    },
    settingsChanged: reloadSettings,
    allChanged() {
      callers.refresh();
      sessions.refresh();
      checkUsers();
      agents.checkKeys();
      live.checkSessions();
      reloadSettings();
    },
  };
}
