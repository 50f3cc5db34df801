import type { AgentKey, AgentKeys } from "../auth/agent-keys.ts";
import type { Cancel, Clock } from "../clock.ts";
import { causeOf, type Log } from "../log/log.ts";
import type { AgentConnection } from "./connection.ts";

type Connection = Pick<AgentConnection, "end" | "keyChanged">;

interface KeyedConnectionsOptions {
  keys: Pick<AgentKeys, "revokedAmong">;
  clock: Clock;
  log: Log;
}

/** How often to look for keys that another process has revoked: one small query, if there are connections. */
const RECHECK_MS = 1_000;

/** The connections of agents that registered with a key of their own. They end when the key is revoked. */
export class KeyedConnections {
  readonly #connections = new Map<string, Set<Connection>>();
  readonly #revoked = new Set<string>();
  #stopTimer: Cancel | undefined;
  #stopped = false;
  #isReadable = true;

  constructor(private readonly options: KeyedConnectionsOptions) {}

  /** Adds a connection. If its key was revoked while the socket was being opened, it ends at once. */
  add(keyId: string, connection: Connection): void {
    if (this.#revoked.has(keyId)) {
      connection.end("key_revoked");
      return;
    }
    this.#connections.getOrInsertComputed(keyId, () => new Set()).add(connection);
    this.#scheduleRecheck();
  }

  remove(keyId: string, connection: Connection): void {
    const held = this.#connections.get(keyId);
    if (!held?.delete(connection) || held.size > 0) return;
    this.#connections.delete(keyId);
    if (this.#connections.size === 0) this.#stopRechecking();
  }

  /** The key was revoked: ends its connections, and those that are still being opened. */
  end(keyId: string): void {
    this.#revoked.add(keyId);
    const held = [...(this.#connections.get(keyId) ?? [])];
    this.options.log.info("agent_key_revoked", { key_id: keyId, sockets: held.length });
    for (const connection of held) connection.end("key_revoked");
  }

  /** The administrator has changed what a key says: its connections follow. */
  change(key: AgentKey): void {
    for (const connection of (key.id !== null && this.#connections.get(key.id)) || [])
      connection.keyChanged(key);
  }

  stop(): void {
    this.#stopped = true;
    this.#stopRechecking();
  }

  #scheduleRecheck(): void {
    if (this.#stopped || this.#connections.size === 0) return;
    this.#stopTimer ??= this.options.clock.after(RECHECK_MS, () => {
      void this.#recheck().finally(() => {
        this.#stopTimer = undefined;
        this.#scheduleRecheck();
      });
    });
  }

  #stopRechecking(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  async #recheck(): Promise<void> {
    const { keys, log } = this.options;
    try {
      const ids = new Set([...this.#connections.keys()].filter((id) => !this.#revoked.has(id)));
      for (const id of await keys.revokedAmong(ids)) this.end(id);
      this.#isReadable = true;
    } catch (error) {
      if (this.#isReadable) log.error("agent_keys_unreadable", { cause: causeOf(error) });
      this.#isReadable = false;
    }
  }
}
