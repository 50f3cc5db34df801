import type { Clock } from "../clock.ts";
import type { Log } from "../log/log.ts";
import { connectNats } from "./nats.ts";
import type { Link, NodeInfo, Part } from "./part.ts";

export interface WireOptions {
  /** Addresses as `nats://user:password@host:4222`. */
  servers: readonly string[];
  credsFile: string | undefined;
  clusterName: string;
  /** At least 32 characters, the same on all nodes. */
  clusterKey: string;
  nodeName: string;
  version: string;
  /** The largest body of a request, which a frame must be able to carry. */
  bodyBytesMax: number;
  log: Log;
  clock: Clock;
}

/** The traffic of this node, counted for the metrics. */
export interface WireCounts {
  messagesIn: number;
  messagesOut: number;
  bytesIn: number;
  bytesOut: number;
  /** How often messages that were lost had to be sent again. */
  resends: number;
  /** How often this node and another had to begin anew. */
  resets: number;
  /** Frames of unknown kinds, malformed ones, and messages without a right proof. */
  framesIgnored: number;
}

/** The link over NATS. */
export interface Wire extends Link {
  /** Announces this node, and passes on to the parts what the others send. */
  start(parts: readonly Part[]): void;
  /** Tells the others that this node is draining. */
  drain(): void;
  /** Tells the others that this node is gone, and closes the connection. Never rejects. */
  leave(): Promise<void>;
  /** Whether NATS is away. */
  isDegraded(): boolean;
  readonly counts: Readonly<WireCounts>;
}

/** Connects to NATS. Throws a `CommandError` of one line if that fails. */
export async function openWire(options: WireOptions): Promise<Wire> {
  const connection = await connectNats(options);
  let draining = false;
  const self: NodeInfo = {
    id: crypto.randomUUID(),
    name: options.nodeName,
    version: options.version,
    startedAt: options.clock.now(),
    get draining() {
      return draining;
    },
  };
  const counts: WireCounts = {
    ...{ messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0 },
    ...{ resends: 0, resets: 0, framesIgnored: 0 },
  };
  // No node is in touch yet.
  return {
    self,
    nodes: new Map(),
    send: () => {},
    sendAll: () => {},
    bufferedBytes: () => 0,
    start: () => {},
    drain: () => {
      draining = true;
    },
    leave: () => connection.close(),
    isDegraded: () => !connection.isUp(),
    counts,
  };
}
