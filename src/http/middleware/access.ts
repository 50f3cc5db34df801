import type { ConcurrencyLimit } from "../../auth/concurrency.ts";
import type { FailedKeys } from "../../auth/failed-keys.ts";
import { AppError, type ErrorCode } from "../../errors.ts";
import type { Log } from "../../log/log.ts";
import { isLoopback } from "../../net/addresses.ts";
import { readHost } from "../../net/host.ts";
import type { BunServer } from "../context.ts";
import type { ClientAddress, ClientAddresses } from "./client-address.ts";

/** The checks that each request passes before any route sees it. */
export interface AccessControl {
  /**
   * Returns where the request comes from. Throws an `AppError`: url_too_long, host_invalid, or host_refused
   * unless the route `needsKey`. Without a key, a page could reach this machine by pointing its own name to
   * it.
   */
  check(request: Request, server: BunServer, needsKey: boolean): ClientAddress;
  /**
   * Counts a request among the running ones of its address, until the returned function is called. Throws an
   * `AppError` address_busy.
   */
  enter(address: string | undefined): () => void;
  /**
   * Returns the error for the caller: key_failures for a wrong key from an address that has sent too many of
   * them.
   */
  limitWrongKeys(error: AppError, address: string | undefined): AppError;
}

interface AccessControlOptions {
  addresses: ClientAddresses;
  isOwnHost: (header: string) => boolean;
  failedKeys: FailedKeys;
  requests: ConcurrencyLimit;
  log: Log;
}

/** For the whole URL. The runtime answers 431 if the head has more than 16 KB, or 199 headers. */
const URL_LENGTH_MAX = 4096;

const OWN_HOST_HINT =
  "On this machine, call the server localhost, use its address, or add the name to --allowed-hosts. Behind a proxy, see --trust-proxy.";

/** The errors of a request with a wrong key. */
const WRONG_KEY: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "key_unknown",
  "admin_key_wrong",
  "agent_key_wrong",
  "sign_in_code_wrong",
]);

/** Names of errors in the log that are not wrong keys: those of ended sessions. */
const ENDED_SESSION = /^session_/;

export function createAccessControl({
  addresses,
  isOwnHost,
  failedKeys,
  requests,
  log,
}: AccessControlOptions): AccessControl {
  return {
    check(request, server, needsKey) {
      const { headers, url } = request;
      if (url.length > URL_LENGTH_MAX)
        throw new AppError("url_too_long", { hint: `The URL may have up to ${URL_LENGTH_MAX} characters.` });
      const host = headers.get("host") ?? "";
      // Anything else in it would become a part of the path.
      if (!readHost(host))
        throw new AppError("host_invalid", {
          hint: "It must be a name or an address, with a port or without.",
        });
      const from = addresses(request, server);
      if (isLoopback(from.address) && !from.isVouched && !needsKey && !isOwnHost(host))
        throw new AppError("host_refused", { hint: OWN_HOST_HINT });
      return from;
    },

    enter(address) {
      const entered = requests.enter(address);
      if (typeof entered === "function") return entered;
      throw new AppError("address_busy", {
        hint: "The limit of concurrent requests from one address is reached (--address-requests-max).",
      });
    },

    limitWrongKeys(error, address) {
      const isWrongKey = WRONG_KEY.has(error.code) && !ENDED_SESSION.test(error.logAs ?? "");
      const over = isWrongKey ? failedKeys.note(address) : undefined;
      if (!over) return error;
      if (over.isFirst) log.warn("keys_refused", { address, for_ms: Math.ceil(over.retryAfterMs) });
      return new AppError("key_failures", {
        hint: "This address has sent too many wrong keys. A valid key works at once.",
        retryAfterMs: over.retryAfterMs,
      });
    },
  };
}
