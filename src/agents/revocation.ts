import type { AgentKey, AgentKeys } from "../auth/agent-keys.ts";
import type { Cancel, Clock } from "../clock.ts";
import { causeOf, type Log } from "../log/log.ts";
import type { AgentConnection } from "./connection.ts";

type Connection = Pick<AgentConnection, "admitted" | "end" | "keyChanged">;

interface KeyedConnectionsOptions {
  keys: Pick<AgentKeys, "active">;
  clock: Clock;
  log: Log;
}

/**
 * How often to look for keys that another process has revoked or changed: one small query, if there are connections. A
 * change takes effect within a second: this time, and that of the query.
 */
const RECHECK_MS = 900;

/**
 * The connections of agents that registered with a key of their own. They end when the key is revoked, and follow
 * its changes.
 */
export class KeyedConnections {
  readonly #connections = new Map<string, Set<Connection>>();
  readonly #revoked = new Set<string>();
  /** The keys of the connections, as they were last seen. */
  readonly #keys = new Map<string, AgentKey>();
  #stopTimer: Cancel | undefined;
  #stopped = false;
  #isReadable = true;
  #isLooking = false;
  #isNext = false;

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
    this.#keys.delete(keyId);
    if (this.#connections.size === 0) this.#stopRechecking();
  }

  /** The key was revoked: ends its connections, and those that are still being opened. */
  end(keyId: string): void {
    this.#revoked.add(keyId);
    const held = [...(this.#connections.get(keyId) ?? [])];
    this.options.log.info("agent_key_revoked", { key_id: keyId, sockets: held.length });
    for (const connection of held) connection.end("key_revoked");
  }

  /** The administrator may have changed what a key says: its connections follow. */
  change(read: AgentKey): void {
    const { id } = read;
    const held = id === null ? undefined : this.#connections.get(id);
    if (id === null || !held) return;
    // Most keys never change: then each connection costs one comparison of references.
    const known = this.#keys.get(id);
    const key = JSON.stringify(known) === JSON.stringify(read) && known ? known : read;
    this.#keys.set(id, key);
    for (const connection of held) if (connection.admitted.key !== key) connection.keyChanged(key);
  }

  /** Must be called when another server has revoked or changed a key. */
  check(): void {
    void this.#recheck();
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

  /** Looks now or, if a look-up is running, once more after it. */
  async #recheck(): Promise<void> {
    this.#isNext = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    while (this.#isNext) {
      this.#isNext = false;
      if (this.#connections.size > 0) await this.#look();
    }
    this.#isLooking = false;
  }

  async #look(): Promise<void> {
    const { keys, log } = this.options;
    try {
      const active = await keys.active();
      for (const id of this.#connections.keys()) {
        const key = active.get(id);
        if (key) this.change(key);
        else if (!this.#revoked.has(id)) this.end(id);
      }
      this.#isReadable = true;
    } catch (error) {
      if (this.#isReadable) log.error("agent_keys_unreadable", { cause: causeOf(error) });
      this.#isReadable = false;
    }
  }
}
