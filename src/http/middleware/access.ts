import type { ConcurrencyLimit } from "../../auth/concurrency.ts";
import type { FailedKeys } from "../../auth/failed-keys.ts";
import { AppError, type ErrorCode } from "../../errors.ts";
import type { Log } from "../../log/log.ts";
import { isLoopback } from "../../net/addresses.ts";
import { readHost } from "../../net/host.ts";
import type { BunServer } from "../context.ts";
import type { ClientAddress, ClientAddresses } from "./client-address.ts";

/** What each request passes before any route sees it. */
export interface Border {
  /** Gives where it comes from; throws an `AppError`: url_too_long, host_invalid, host_refused. */
  check(request: Request, server: BunServer, path: string): ClientAddress;
  /** Counts it among what its address has under way; gives what ends that. Throws an `AppError` address_busy. */
  enter(address: string | undefined): () => void;
  /** The error as it is told: of an address that has sent too many wrong keys, a further one is key_failures. */
  told(error: AppError, address: string | undefined): AppError;
}

interface BorderOptions {
  addresses: ClientAddresses;
  isOwnHost: (header: string) => boolean;
  failedKeys: FailedKeys;
  requests: ConcurrencyLimit;
  log: Log;
}

/** Of the whole address. The runtime answers 431 where line and headers have more than 16 KB, or there are 199 of them. */
const URL_LENGTH_MAX = 4096;

/** Routes that tell and do nothing without a key, which a page that had its name point here would not know. */
const NEEDS_KEY = /^\/(?:(?:api|v1|admin|metrics)(?:\/|$)|(?:agents\/[^/]*\/)?client\/register$)/;

const OWN_HOST_HINT =
  "On this machine the server must be called localhost, by its address, or by a name that --allowed-hosts lists; behind a proxy see --trust-proxy.";

/** Errors that say that a key was tried, and was none. */
const FAILED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "key_unknown",
  "admin_key_wrong",
  "agent_key_wrong",
  "sign_in_code_wrong",
]);

/** A cookie that stands for no session any more is no try. */
const NO_TRY = /^session_/;

export function createBorder({ addresses, isOwnHost, failedKeys, requests, log }: BorderOptions): Border {
  return {
    check(request, server, path) {
      const { headers, url } = request;
      if (url.length > URL_LENGTH_MAX)
        throw new AppError("url_too_long", {
          hint: `An address may have up to ${URL_LENGTH_MAX} characters.`,
        });
      const host = headers.get("host") ?? "";
      // Whatever else stood in it would become a part of the path.
      if (!readHost(host))
        throw new AppError("host_invalid", { hint: "The header Host must be a name or an address." });
      const from = addresses(request, server);
      if (isLoopback(from.address) && !from.isVouched && !NEEDS_KEY.test(path) && !isOwnHost(host))
        throw new AppError("host_refused", { hint: OWN_HOST_HINT });
      return from;
    },

    enter(address) {
      const entered = requests.enter(address);
      if (typeof entered === "function") return entered;
      throw new AppError("address_busy", {
        hint: "So many requests of one address are answered at once: --address-requests-max.",
      });
    },

    told(error, address) {
      const isTry = FAILED.has(error.code) && !NO_TRY.test(error.logAs ?? "");
      const over = isTry ? failedKeys.note(address) : undefined;
      if (!over) return error;
      if (over.isFirst) log.warn("keys_refused", { address, for_ms: Math.ceil(over.retryAfterMs) });
      return new AppError("key_failures", {
        hint: "This address has sent too many wrong keys. A right one works at once.",
        retryAfterMs: over.retryAfterMs,
      });
    },
  };
}
