import { publicUrlOf } from "../../config/public-url.ts";
import type { Config } from "../../config/settings.ts";
import { isLoopbackHost } from "../../net/addresses.ts";

const LENGTH_GOOD = 16;

/** Whether the admin key is short for a server that listens at these addresses, and that others can reach. */
export function isAdminKeyWeak(config: Config, addresses: readonly string[]): boolean {
  const isReachable =
    publicUrlOf(config) !== undefined || addresses.some((address) => !isLoopbackHost(address));
  return isReachable && config.adminKey.length < LENGTH_GOOD;
}
