import { onTestFinished } from "bun:test";
import type { Clock } from "../../../src/clock.ts";
import type { Part } from "../../../src/cluster/part.ts";
import { openWire } from "../../../src/cluster/wire/open.ts";
import type { Wire } from "../../../src/cluster/wire/wire.ts";
import { createLog } from "../../../src/log/log.ts";
import { createClock } from "../../../src/time.ts";
import { CLUSTER_KEY } from "../../support/keys.ts";

export const newClusterName = () => `test-${crypto.randomUUID().slice(0, 8)}`;

interface NatsWireOptions {
  /** The address of NATS. */
  server: string;
  credsFile?: string;
  clusterName?: string;
  nodeName?: string;
  startMs?: number;
  clock?: Clock;
  /** Take the lines of the log, and what is said to people. */
  write?: (line: string) => void;
  say?: (words: string) => void;
}

/** Opens a wire over a NATS server, which leaves when the test ends. */
export async function openNatsWire({ server, ...options }: NatsWireOptions): Promise<Wire> {
  const { write = () => {}, say = () => {}, startMs, clock = createClock() } = options;
  const { credsFile, clusterName = "test", nodeName = "a" } = options;
  const wire = await openWire({
    ...{ servers: [server], credsFile, clusterName, nodeName, ...(startMs !== undefined && { startMs }) },
    ...{ clusterKey: CLUSTER_KEY, version: "1.0.0", bodyBytesMax: 30e6, clock },
    log: createLog({ write, say }),
  });
  onTestFinished(() => wire.leave());
  return wire;
}

/** Opens a wire and starts it. */
export async function startNatsWire(options: NatsWireOptions, parts: Part[] = []): Promise<Wire> {
  const wire = await openNatsWire(options);
  wire.start(parts);
  return wire;
}
