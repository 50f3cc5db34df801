import type { AgentKeys } from "../auth/agent-keys.ts";
import { causeOf, type Log } from "../log/log.ts";
import type { Cancel, Clock } from "../relay/ports.ts";
import type { AgentSession } from "./session.ts";

/** The sockets of agents that registered by a key of their own, which end with the key. */
export interface KeyedSockets {
  /** Ends it at once where the key was revoked while the socket was being opened. */
  add(keyId: string, session: AgentSession): void;
  remove(keyId: string, session: AgentSession): void;
  /** The key was revoked in this process. */
  end(keyId: string): void;
  stop(): void;
}

interface KeyedSocketsOptions {
  keys: Pick<AgentKeys, "revokedAmong">;
  clock: Clock;
  log: Log;
}

/** How soon it counts when another process has revoked a key. One small look-up, and none without such sockets. */
const RECHECK_MS = 1_000;

export function createKeyedSockets({ keys, clock, log }: KeyedSocketsOptions): KeyedSockets {
  const sessions = new Map<string, Set<AgentSession>>();
  const revoked = new Set<string>();
  let stopTimer: Cancel | undefined;
  let stopped = false;
  let isReadable = true;

  function end(keyId: string): void {
    revoked.add(keyId);
    const held = [...(sessions.get(keyId) ?? [])];
    log.info("agent_key_revoked", { key_id: keyId, sockets: held.length });
    for (const session of held) session.end("key_revoked");
  }

  function schedule(): void {
    if (stopped || sessions.size === 0) return;
    stopTimer ??= clock.after(RECHECK_MS, () => {
      void recheck().finally(() => {
        stopTimer = undefined;
        schedule();
      });
    });
  }

  async function recheck(): Promise<void> {
    try {
      const ids = new Set([...sessions.keys()].filter((id) => !revoked.has(id)));
      for (const id of await keys.revokedAmong(ids)) end(id);
      isReadable = true;
    } catch (error) {
      if (isReadable) log.error("agent_keys_unreadable", { cause: causeOf(error) });
      isReadable = false;
    }
  }

  return {
    add(keyId, session) {
      if (revoked.has(keyId)) {
        session.end("key_revoked");
        return;
      }
      const held = sessions.get(keyId) ?? new Set();
      sessions.set(keyId, held.add(session));
      schedule();
    },

    remove(keyId, session) {
      const held = sessions.get(keyId);
      if (!held?.delete(session) || held.size > 0) return;
      sessions.delete(keyId);
      if (sessions.size > 0) return;
      stopTimer?.();
      stopTimer = undefined;
    },

    end,

    stop() {
      stopped = true;
      stopTimer?.();
      stopTimer = undefined;
    },
  };
}
