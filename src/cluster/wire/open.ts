import type { Log } from "../../log/log.ts";
import { steadyClock } from "../../time.ts";
import { connectNats } from "./nats.ts";
import type { NatsOptions } from "./nats-connect.ts";
import { createWire, type Wire, type WireOptions } from "./wire.ts";

/** Connects to NATS, and checks what this node may do there. Throws a `CommandError` of one line if that fails. */
export async function openWire(
  options: NatsOptions & Omit<WireOptions, "soon"> & { log: Log },
): Promise<Wire> {
  const soon = (run: () => void) => void setImmediate(run);
  const transport = await connectNats(options);
  try {
    const wire = createWire({ ...options, clock: steadyClock(options.clock), soon }, transport);
    await wire.check();
    return wire;
  } catch (error) {
    await transport.close();
    throw error;
  }
}
