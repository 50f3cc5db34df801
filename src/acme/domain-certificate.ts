import type { X509Certificate } from "node:crypto";
import type { Cancel, Clock } from "../clock.ts";
import { HOUR_MS, MINUTE_MS } from "../durations.ts";
import { CommandError, messageOfError } from "../errors.ts";
import type { Log } from "../log/log.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { type AcmeFolder, openAcmeFolder } from "./folder.ts";
import { type HttpListenerOptions, listenHttp } from "./http-listener.ts";
import { type Challenges, type OrderOptions, orderCertificate } from "./order.ts";
import { OrderBudget } from "./order-budget.ts";
import { AcmeError, UNREACHABLE } from "./problem.ts";
import { askRenewalTime, certificateId, renewalByAge, validityOf } from "./renewal-time.ts";

export interface DomainCertificateOptions
  extends Pick<ConnectionOptions, "directory" | "userAgent" | "fetch">,
    Pick<OrderOptions, "domains" | "email" | "externalAccount" | "pollEveryMs"> {
  /** The folder that has one for each CA. */
  folder: string;
  http: Omit<HttpListenerOptions, "domains">;
  log: Pick<Log, "debug" | "info" | "error">;
  clock: Clock;
  /** Ends the first order, which then rejects. */
  stopping?: AbortSignal | undefined;
  /** From 0 to 1. Default: `Math.random`. */
  random?: () => number;
}

/** The certificate of the server's domains, which is ordered and renewed at a CA by ACME. */
export interface DomainCertificate {
  /** A PEM file with the chain and the private key. It is replaced as a whole. */
  path: string;
  /** The port that answers the CA's checks. */
  httpPort: number;
  /** Begins to renew. Calls `onReplaced` each time the file has a new certificate. */
  start(onReplaced: () => void): void;
  state(): RenewalState;
  /** Ends a running order, and stops listening for the CA's checks. */
  stop(): Promise<void>;
}

export interface RenewalState {
  /** When the certificate is to be renewed, in ms since 1970; undefined until that is known. */
  renewAt: number | undefined;
  /** Why the last order failed; undefined if it did not. */
  failure: string | undefined;
}

const ORDER_LIMIT_MS = 3 * MINUTE_MS;
const CHECK_EVERY_MS = 6 * HOUR_MS;
const RETRY_MIN_MS = MINUTE_MS;

/**
 * Opens the port for the CA's checks. Resolves when there is a certificate: at once if one was kept that has a name of
 * the server, even an expired one, which is then replaced after `start`. Otherwise it orders one. Rejects with a
 * `CommandError` that says why there is none.
 */
export async function openDomainCertificate(options: DomainCertificateOptions): Promise<DomainCertificate> {
  const folder = openAcmeFolder(options.folder, options.directory);
  const { domains } = options;
  const http = listenHttp({ ...options.http, domains });
  const renewals = new Renewals(options, folder, http);
  options.stopping?.addEventListener("abort", () => void renewals.stop(), { once: true });
  try {
    const kept = folder.certificate();
    if (!domains.some((name) => kept?.checkHost(name))) await renewals.orderFirst();
  } catch (error) {
    http.stop();
    throw error;
  }
  return {
    path: folder.paths.certificate,
    httpPort: http.port,
    start: (onReplaced) => renewals.start(onReplaced),
    state: () => renewals.state(),
    async stop() {
      await renewals.stop();
      http.stop();
    },
  };
}

/** Orders certificates when it is time, one order at a time. */
class Renewals {
  readonly #options: DomainCertificateOptions;
  readonly #folder: AcmeFolder;
  readonly #challenges: Challenges;
  readonly #budget: OrderBudget;
  readonly #stopping = new AbortController();
  readonly #random: () => number;
  #onReplaced = () => {};
  #cancel: Cancel = () => {};
  #running: Promise<void> = Promise.resolve();
  /** Which part of a window of time this certificate is renewed at, and when to ask the CA for the window. */
  #part: number;
  #askAt = 0;
  #renewAt: number | undefined;

  constructor(options: DomainCertificateOptions, folder: AcmeFolder, challenges: Challenges) {
    this.#options = options;
    this.#folder = folder;
    this.#challenges = challenges;
    this.#budget = new OrderBudget(folder, options.clock);
    this.#random = options.random ?? Math.random;
    this.#part = this.#random();
  }

  state(): RenewalState {
    return { renewAt: this.#renewAt, failure: this.#budget.failure };
  }

  start(onReplaced: () => void): void {
    this.#onReplaced = onReplaced;
    this.#wakeAt(0);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("The server was stopped."));
    this.#cancel();
    await this.#running;
  }

  async orderFirst(): Promise<void> {
    const none = `There is no certificate for ${this.#names}.`;
    const allowedAt = this.#budget.allowedAt(true);
    if (this.#options.clock.now() < allowedAt) {
      const { failure = "The server was stopped before it ended." } = this.#budget;
      throw new CommandError(
        `${none} Because of the CA's rate limits, none is ordered before ${isoTime(allowedAt)}. The last order failed: ${failure}`,
      );
    }
    try {
      await this.#order(undefined);
    } catch (error) {
      throw new CommandError(`${none} ${messageOfError(error)}`, { cause: error });
    }
  }

  get #names(): string {
    return this.#options.domains.join(", ");
  }

  #wakeAt(at: number): void {
    if (this.#stopping.signal.aborted) return;
    const { clock } = this.#options;
    const delayMs = Math.min(Math.max(at - clock.now(), 0), CHECK_EVERY_MS);
    this.#cancel = clock.after(delayMs, () => {
      this.#running = this.#check();
    });
  }

  /** Orders a certificate if it is time, and sets the timer again. Never rejects. */
  async #check(): Promise<void> {
    const { clock, domains } = this.#options;
    let nextAt = clock.now() + RETRY_MIN_MS;
    let isUrgent = true;
    try {
      const kept = this.#folder.certificate();
      isUrgent = kept === undefined || validityOf(kept).to <= clock.now();
      const isComplete = domains.every((name) => kept?.checkHost(name));
      this.#renewAt = kept && isComplete ? await this.#renewalOf(kept) : clock.now();
      nextAt = Math.max(this.#renewAt, this.#budget.allowedAt(isUrgent));
      if (clock.now() < nextAt) return;
      await this.#order(kept);
      this.#onReplaced();
      nextAt = clock.now() + RETRY_MIN_MS;
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      nextAt = Math.max(this.#budget.allowedAt(isUrgent), clock.now() + RETRY_MIN_MS);
      this.#reportFailure(error, nextAt);
    } finally {
      this.#wakeAt(nextAt);
    }
  }

  /** Returns when to renew: as the CA says, if it does, or else by age. */
  async #renewalOf(certificate: X509Certificate): Promise<number> {
    const { clock, log } = this.#options;
    if (this.#renewAt !== undefined && clock.now() < this.#askAt) return this.#renewAt;
    this.#askAt = clock.now() + CHECK_EVERY_MS;
    try {
      const connection = await this.#connect(this.#stopping.signal);
      const asked = await askRenewalTime({
        ...{ connection, certificate, clock },
        random: this.#part,
        orderedAt: this.#budget.orderedAt,
      });
      if (asked !== undefined) this.#askAt = asked.askAt;
      if (asked !== undefined) return asked.renewAt;
    } catch (error) {
      if (!this.#stopping.signal.aborted) log.debug("renewal_time_unknown", { cause: messageOfError(error) });
    }
    return renewalByAge(certificate, this.#part);
  }

  async #order(replaced: X509Certificate | undefined): Promise<void> {
    const { directory, log } = this.#options;
    const [names, ca] = [this.#names, new URL(directory).host];
    this.#budget.begin();
    const words = `Ordering a certificate for ${names} from ${ca}. This may take a minute.`;
    log.info("certificate_ordering", { names, ca }, words);
    try {
      await this.#orderWithin(ORDER_LIMIT_MS, replaced);
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#noteFailure(error);
      throw error;
    }
    this.#budget.succeeded();
    this.#part = this.#random();
    this.#renewAt = undefined;
  }

  #noteFailure(error: unknown): void {
    const { retryAfterMs = 0, type } = error instanceof AcmeError ? error : {};
    this.#budget.failed(messageOfError(error), {
      // A little later than the CA wants, so that not all servers come back at the same moment.
      retryAfterMs: retryAfterMs * (1 + this.#random() / 20),
      isReached: type !== UNREACHABLE,
    });
  }

  async #orderWithin(limitMs: number, replaced: X509Certificate | undefined): Promise<void> {
    const { clock, domains, email, externalAccount, pollEveryMs } = this.#options;
    const limit = new AbortController();
    const late = new AcmeError(`The CA did not complete the order within ${limitMs / MINUTE_MS} minutes.`);
    const cancel = clock.after(limitMs, () => limit.abort(late));
    const signal = AbortSignal.any([this.#stopping.signal, limit.signal]);
    try {
      const connection = await this.#connect(signal);
      const ordered = await orderCertificate({
        ...{ connection, accountKey: this.#folder.accountKey(), email, externalAccount, domains },
        replaces: connection.directory.renewalInfo && replaced && certificateId(replaced),
        ...{ challenges: this.#challenges, clock, signal },
        ...(pollEveryMs !== undefined && { pollEveryMs }),
      });
      this.#folder.keepCertificate(ordered);
    } finally {
      cancel();
    }
  }

  #connect(signal: AbortSignal): Promise<Connection> {
    const { directory, userAgent, clock, fetch } = this.#options;
    return Connection.open({ directory, userAgent, clock, signal, ...(fetch && { fetch }) });
  }

  #reportFailure(error: unknown, nextAt: number): void {
    const [names, cause, next] = [this.#names, messageOfError(error), isoTime(nextAt)];
    this.#options.log.error(
      "certificate_order_failed",
      { names, cause, next_try: next },
      `The certificate of ${names} could not be renewed, and the old one stays in use. ${cause} The next try is at ${next}.`,
    );
  }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
