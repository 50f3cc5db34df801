import { hostname } from "node:os";
import { createConcurrencyLimit } from "../auth/concurrency.ts";
import { createFailedKeys } from "../auth/failed-keys.ts";
import type { Config } from "../config/read.ts";
import type { BunServer } from "../http/context.ts";
import { type AccessControl, createAccessControl } from "../http/middleware/access.ts";
import {
  type ClientAddresses,
  createClientAddresses,
  createTlsCheck,
} from "../http/middleware/client-address.ts";
import type { Log } from "../log/log.ts";
import { createOwnHosts } from "../net/host.ts";

/** What stands between the world and the routes. */
export interface Gate {
  accessControl: AccessControl;
  addressOf: ClientAddresses;
  /** Whether the caller came by TLS, as far as the proxies before this server are trusted. */
  isSecure(request: Request, server: BunServer): boolean;
  isOwnHost: (header: string) => boolean;
}

export function createGate(config: Config, log: Log): Gate {
  const addressOf = createClientAddresses(config.trustProxy);
  const isOwnHost = createOwnHosts([
    hostname(),
    ...(config.host ? [config.host] : []),
    ...config.allowedHosts,
  ]);
  const accessControl = createAccessControl({
    addresses: addressOf,
    isOwnHost,
    failedKeys: createFailedKeys({ max: config.keyFailuresMax, elapsedMs: () => performance.now() }),
    requests: createConcurrencyLimit({ addressMax: config.addressRequestsMax }),
    log,
  });
  return { accessControl, addressOf, isSecure: createTlsCheck(config.trustProxy), isOwnHost };
}
