import type { Log } from "../../log/log.ts";
import { connectNats, type NatsOptions } from "./nats.ts";
import { createWire, type Wire, type WireOptions } from "./wire.ts";

/** Connects to NATS. Throws a `CommandError` of one line if that fails. */
export async function openWire(
  options: NatsOptions & Omit<WireOptions, "soon"> & { log: Log },
): Promise<Wire> {
  const soon = (run: () => void) => void setImmediate(run);
  return createWire({ ...options, soon }, await connectNats(options));
}
