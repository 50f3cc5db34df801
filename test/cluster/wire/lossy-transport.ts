import type { Clock } from "../../../src/clock.ts";
import type { Transport, TransportListener } from "../../../src/cluster/wire/transport.ts";

/** Returns after how many milliseconds each copy of a message arrives. Without a copy, it is lost. */
export type Fate = (from: string, to: string, message: Uint8Array) => readonly number[];

const SOON: Fate = () => [1];

/** Carries messages between wires in this process, on a fake clock. The test says what happens to each. */
export function createLossyNetwork(clock: Clock) {
  const listeners = new Map<string, TransportListener>();
  const down = new Set<TransportListener>();
  const killed = new Set<string>();
  let fate = SOON;

  function deliver(from: string, to: string, sent: Uint8Array): void {
    // The sender may free it once it is acknowledged.
    const message = Uint8Array.from(sent);
    for (const delayMs of fate(from, to, message))
      clock.after(delayMs, () => {
        const listener = listeners.get(to);
        if (listener && !down.has(listener)) listener.message(message);
      });
  }

  return {
    set fate(next: Fate | undefined) {
      fate = next ?? SOON;
    },
    /** Sends to a node what another one, or nobody, has written. */
    inject: (to: string, message: Uint8Array) => listeners.get(to)?.message(message),
    /** Tells a node, as anybody may, that nobody listens at another. */
    injectUnanswered: (to: string, nodeId: string) => listeners.get(to)?.unanswered(nodeId),
    /** The node loses its connection, or has it again. */
    setDown(nodeId: string, isDown: boolean): void {
      const listener = listeners.get(nodeId);
      if (!listener || down.has(listener) === isDown) return;
      if (isDown) down.add(listener);
      else down.delete(listener);
      if (isDown) listener.down();
      else listener.up();
    },
    /** The process of the node ends. */
    kill(nodeId: string): void {
      killed.add(nodeId);
      listeners.delete(nodeId);
    },
    createTransport(payloadMax = 1024 * 1024): Transport {
      let self = "";
      let own: TransportListener | undefined;
      const isUp = () => own === undefined || !down.has(own);
      return {
        get isUp() {
          return isUp();
        },
        payloadMax,
        publish(nodeId, message) {
          if (!isUp() || killed.has(self) || message.byteLength > payloadMax) return false;
          if (nodeId === undefined) for (const to of listeners.keys()) deliver(self, to, message);
          else if (listeners.has(nodeId)) deliver(self, nodeId, message);
          else clock.after(1, () => own?.unanswered(nodeId));
          return true;
        },
        check: async () => {},
        listen(nodeId, listener) {
          self = nodeId;
          own = listener;
          listeners.set(nodeId, listener);
        },
        async close() {
          listeners.delete(self);
        },
      };
    },
  };
}
