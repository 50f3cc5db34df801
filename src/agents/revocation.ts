import type { AgentKeys } from "../auth/agent-keys.ts";
import type { Cancel, Clock } from "../clock.ts";
import { causeOf, type Log } from "../log/log.ts";
import type { AgentConnection } from "./connection.ts";

type Connection = Pick<AgentConnection, "end">;

/** The connections of agents that registered with a key of their own. They end when the key is revoked. */
export interface KeyedConnections {
  /**
   * Adds a connection. If its key was revoked while the socket was being opened, the connection ends at once.
   */
  add(keyId: string, connection: Connection): void;
  remove(keyId: string, connection: Connection): void;
  /** The key was revoked in this process. */
  end(keyId: string): void;
  stop(): void;
}

interface KeyedConnectionsOptions {
  keys: Pick<AgentKeys, "revokedAmong">;
  clock: Clock;
  log: Log;
}

/**
 * How often to look for keys that another process has revoked: one small query, none without such
 * connections.
 */
const RECHECK_MS = 1_000;

export function createKeyedConnections({ keys, clock, log }: KeyedConnectionsOptions): KeyedConnections {
  const connections = new Map<string, Set<Connection>>();
  const revoked = new Set<string>();
  let stopTimer: Cancel | undefined;
  let stopped = false;
  let isReadable = true;

  function end(keyId: string): void {
    revoked.add(keyId);
    const held = [...(connections.get(keyId) ?? [])];
    log.info("agent_key_revoked", { key_id: keyId, sockets: held.length });
    for (const connection of held) connection.end("key_revoked");
  }

  function schedule(): void {
    if (stopped || connections.size === 0) return;
    stopTimer ??= clock.after(RECHECK_MS, () => {
      void recheck().finally(() => {
        stopTimer = undefined;
        schedule();
      });
    });
  }

  async function recheck(): Promise<void> {
    try {
      const ids = new Set([...connections.keys()].filter((id) => !revoked.has(id)));
      for (const id of await keys.revokedAmong(ids)) end(id);
      isReadable = true;
    } catch (error) {
      if (isReadable) log.error("agent_keys_unreadable", { cause: causeOf(error) });
      isReadable = false;
    }
  }

  function stopRechecking(): void {
    stopTimer?.();
    stopTimer = undefined;
  }

  return {
    add(keyId, connection) {
      if (revoked.has(keyId)) {
        connection.end("key_revoked");
        return;
      }
      const held = connections.get(keyId) ?? new Set();
      connections.set(keyId, held.add(connection));
      schedule();
    },

    remove(keyId, connection) {
      const held = connections.get(keyId);
      if (!held?.delete(connection) || held.size > 0) return;
      connections.delete(keyId);
      if (connections.size === 0) stopRechecking();
    },

    end,

    stop() {
      stopped = true;
      stopRechecking();
    },
  };
}
