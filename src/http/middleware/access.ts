import type { FailedKeys } from "../../auth/failed-keys.ts";
import type { ConcurrencyLimit } from "../../auth/limits/concurrency.ts";
import { AppError, type ErrorCode } from "../../errors.ts";
import type { Log } from "../../log/log.ts";
import { isLoopback } from "../../net/addresses.ts";
import { readHost } from "../../net/host.ts";
import type { ClientAddress, ClientAddresses, Peers } from "./client-address.ts";
import type { StrangerShare } from "./stranger-share.ts";

interface AccessControlOptions {
  addresses: ClientAddresses;
  isOwnHost: (header: string) => boolean;
  failedKeys: FailedKeys;
  /** The requests with a right key. */
  requests: ConcurrencyLimit;
  /** The requests without one that the server waits for. */
  strangers: StrangerShare;
  log: Log;
}

/** Bounds the whole URL. The runtime answers 431 if the head has more than 16 KB, or 199 headers. */
const URL_LENGTH_MAX = 4096;

const HOST_HINT = "It must be a name or an address, with a port or without.";
const OWN_HOST_HINT =
  "On this machine, call the server localhost, use its address, or add the name to --allowed-hosts. Behind a proxy, see --trust-proxy.";
const STRANGER_HINT =
  "Too many requests without a right key are waiting. Send the key in a header, so that it counts before the body has arrived.";
const BUSY_HINT = "The limit of concurrent requests from one address is reached (--address-requests-max).";
const WRONG_KEYS_HINT = "This address has sent too many wrong keys. A valid key works at once.";

/** The errors of a request with a wrong key. */
const WRONG_KEY: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "key_unknown",
  "admin_key_wrong",
  "agent_key_wrong",
  "sign_in_code_wrong",
]);

/** The names in the log of errors that tell of an ended session, not of a wrong key. */
const ENDED_SESSION = /^session_/;

/** The checks that each request passes before any route sees it. */
export class AccessControl {
  /** The last `Host` that was valid. */
  #lastHost: string | undefined;

  constructor(private readonly options: AccessControlOptions) {}

  /**
   * Returns where the request comes from. Throws url_too_long, host_invalid, or host_refused unless the route
   * needs a `key`: without a key, a page could reach this machine by pointing its own name to it. A `probe`
   * may have any `Host`, or none: its answer is not secret.
   */
  check(request: Request, server: Peers, route: "key" | "probe" | "other"): ClientAddress {
    const { headers, url } = request;
    if (url.length > URL_LENGTH_MAX)
      throw new AppError("url_too_long", { hint: `The URL may have up to ${URL_LENGTH_MAX} characters.` });
    if (route === "probe") return this.options.addresses(request, server);
    const host = headers.get("host") ?? "";
    // Anything else in it would become a part of the path. Most requests have the same.
    if (host !== this.#lastHost && !readHost(host)) throw new AppError("host_invalid", { hint: HOST_HINT });
    this.#lastHost = host;
    const from = this.options.addresses(request, server);
    if (
      isLoopback(from.address) &&
      !from.isReportedByProxy &&
      route === "other" &&
      !this.options.isOwnHost(host)
    )
      throw new AppError("host_refused", { hint: OWN_HOST_HINT });
    return from;
  }

  /**
   * Counts a request of the address, whose key is right, as running until the returned function is called.
   * Throws address_busy.
   */
  enter(address: string | undefined): () => void {
    const entered = this.options.requests.enter(address);
    if (typeof entered === "function") return entered;
    throw new AppError("address_busy", { hint: BUSY_HINT });
  }

  /**
   * Lets a request without a right key wait, which may hold up to `bytes`. The signal ends it, with an error
   * as its reason, when it has to make room for others. `leave` must be called at its end.
   */
  enterAsStranger(address: string | undefined, bytes: number): { cut: AbortSignal; leave: () => void } {
    const abort = new AbortController();
    const cut = () => abort.abort(new AppError("address_busy", { hint: STRANGER_HINT }));
    return { cut: abort.signal, leave: this.options.strangers.enter(address, bytes, cut) };
  }

  /** Returns the error for the caller: key_failures if the address has sent too many wrong keys. */
  limitWrongKeys(error: AppError, address: string | undefined): AppError {
    const { failedKeys, log } = this.options;
    const isWrongKey = WRONG_KEY.has(error.code) && !ENDED_SESSION.test(error.logAs ?? "");
    const over = isWrongKey ? failedKeys.note(address, error.wrongKeys) : undefined;
    if (!over) return error;
    const { isFirst, retryAfterMs } = over;
    if (isFirst) log.warn("keys_refused", { address, for_ms: Math.ceil(retryAfterMs) });
    return new AppError("key_failures", { hint: WRONG_KEYS_HINT, retryAfterMs });
  }
}
