import type { Clock } from "../clock.ts";
import type { Log } from "../log/log.ts";
import type { AgentConnection } from "./connection.ts";
import { createKeylessReport } from "./keyless-report.ts";
import type { KeyedConnections } from "./revocation.ts";

interface ArrivalsOptions {
  clock: Clock;
  log: Log;
  keyed: Pick<KeyedConnections, "add" | "remove">;
}

export type Arrivals = ReturnType<typeof createArrivals>;

/** Notes connections of agents from other processes when they open and close, whatever carries them. */
export function createArrivals({ clock, log, keyed }: ArrivalsOptions) {
  const keyless = createKeylessReport({ clock, log });
  return {
    /** The connection has opened. If its key was revoked meanwhile, it ends at once. */
    opened(connection: AgentConnection): void {
      const { key, address } = connection.admitted;
      if (!key) keyless.report(address);
      else if (key.id) keyed.add(key.id, connection);
    },
    /** The connection has closed, with the code of a WebSocket. */
    closed(connection: AgentConnection, code: number): void {
      const { address, key } = connection.admitted;
      log.debug("agent_socket_closed", { address, code });
      if (key?.id) keyed.remove(key.id, connection);
      connection.closed();
    },
  };
}
