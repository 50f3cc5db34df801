import { HOUR_MS } from "../../durations.ts";
import type { ServerAddress } from "./server-address.ts";

/** Failed attempts in a row that only a blocked WebSocket explains. */
const BLOCKED_MAX = 2;
/** Sessions of long-polling in a row that did not begin, although earlier ones did. */
const POLLING_FAILURES_MAX = 3;
const PROBE_MS = 60_000;
const PROBE_MAX_MS = HOUR_MS;

const choices = new WeakMap<ServerAddress, TransportChoice>();

/** Knows whether WebSockets reach a server, for all connections to it. */
export class TransportChoice {
  #blocked = 0;
  #isPolling = false;
  #hasPolled = false;
  #pollingFailures = 0;
  #probeMs = PROBE_MS;

  static of(server: ServerAddress): TransportChoice {
    return choices.getOrInsertComputed(server, () => new TransportChoice());
  }

  /** Whether the next connection is to be by long-polling. */
  get isPolling(): boolean {
    return this.#isPolling;
  }

  /** A WebSocket has ended before the server was ready. Returns whether it is the one that decides for long-polling. */
  socketFailed(isBlocked: boolean): boolean {
    this.#blocked = isBlocked ? this.#blocked + 1 : 0;
    if (this.#blocked < BLOCKED_MAX) return false;
    this.#isPolling = true;
    return true;
  }

  /** The server was ready on a WebSocket. */
  socketWorks(): void {
    this.#blocked = 0;
    this.#isPolling = false;
    this.#probeMs = PROBE_MS;
  }

  pollingWorks(): void {
    this.#hasPolled = true;
    this.#pollingFailures = 0;
  }

  /** A session of long-polling has not begun. Returns whether WebSockets are to be tried again now. */
  pollingFailed(): boolean {
    this.#pollingFailures++;
    if (this.#hasPolled && this.#pollingFailures < POLLING_FAILURES_MAX) return false;
    const isFirst = !this.#hasPolled;
    this.#isPolling = false;
    this.#hasPolled = false;
    this.#blocked = 0;
    this.#pollingFailures = 0;
    return isFirst;
  }

  /** Returns how long to wait before WebSockets are tried again; each time longer, up to an hour. */
  nextProbeMs(): number {
    const ms = this.#probeMs;
    this.#probeMs = Math.min(ms * 2, PROBE_MAX_MS);
    return ms;
  }
}
