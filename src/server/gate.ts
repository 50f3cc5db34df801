import { hostname } from "node:os";
import { createFailedKeys } from "../auth/failed-keys.ts";
import { createOwnHosts } from "../auth/host.ts";
import { createOccupancy } from "../auth/occupancy.ts";
import type { Config } from "../config.ts";
import { type ClientAddresses, createClientAddresses, createTlsCheck } from "../http/address.ts";
import { type Border, createBorder } from "../http/border.ts";
import type { HttpDeps } from "../http/context.ts";
import type { Log } from "../log.ts";

/** What stands between the world and the routes. */
export interface Gate {
  border: Border;
  addressOf: ClientAddresses;
  isSecure: HttpDeps["isSecure"];
  isOwnHost: (header: string) => boolean;
}

export function createGate(config: Config, log: Log): Gate {
  const addressOf = createClientAddresses(config.trustProxy);
  const isOwnHost = createOwnHosts([
    hostname(),
    ...(config.host ? [config.host] : []),
    ...config.allowedHosts,
  ]);
  const border = createBorder({
    addresses: addressOf,
    isOwnHost,
    failedKeys: createFailedKeys({ max: config.keyFailuresMax, elapsedMs: () => performance.now() }),
    requests: createOccupancy({ addressMax: config.addressRequestsMax }),
    log,
  });
  return { border, addressOf, isSecure: createTlsCheck(config.trustProxy), isOwnHost };
}
