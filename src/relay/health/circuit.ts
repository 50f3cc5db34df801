import type { Cancel } from "../../clock.ts";
import { AppError, ERRORS } from "../../errors.ts";
import { type Principal, userIdOf } from "../../principal.ts";

/** A failure that says something about the agent, and whose ask it ended. */
export interface Failure {
  error: AppError;
  /** Undefined if the caller had gone, or is another node's. */
  principal: Principal | undefined;
  /** When the ask was sent to the agent, and when it failed, in milliseconds since 1970. */
  sentAt: number;
  at: number;
  /** Whether the ask was the probe. */
  isProbe: boolean;
}

/**
 * `closed`: the agent gets asks for the model. `open`: it gets none. `half_open`: it gets one, whose outcome
 * decides.
 */
export type CircuitState = "closed" | "open" | "half_open";

/**
 * The pauses after the first failure, the second, and so on. With the jitter, an agent that recovers has work again
 * within ten seconds, and one that does not is asked at most ten times in a minute.
 */
const PAUSES_MS = [1_500, 4_500, 9_000];
const JITTER = 0.08;

/** An agent that often fails, but not always, may by chance fail a few asks in a row in less than this time. */
const ROW_MS_MIN = 1_000;

/** The pauses in which a closed circuit lets no ask through after the first failure, and after each further one. */
const COOLING_MS = [0, 850];

/** When to ask again, in the error of an ask that came while the probe was under way. */
const PROBED_MS = 1_000;

/**
 * Counts an agent's failures in a row, for one model. It is made for the first, and gone after a success. Until
 * there are enough failures, the circuit is closed, but the other agents come first during a pause.
 */
export class Circuit {
  #failures = 0;
  /** How many pauses there were. Failures of asks that were under way together make one. */
  #pauses = 0;
  /** When the first of them was. */
  #since = 0;
  #isOpen = false;
  #retryAt = 0;
  /** The slot of the ask that is under way to tell how the agent is now. */
  probe: object | undefined;
  /** Stops what is scheduled for the end of the pause. */
  stopTimer: Cancel | undefined;

  constructor(private last: Failure) {}

  /** How many failures there were in a row. */
  get failures(): number {
    return this.#failures;
  }

  get lastFailure(): Failure {
    return this.last;
  }

  /** When the pause ends, in milliseconds since 1970. */
  get retryAt(): number {
    return this.#retryAt;
  }

  stateAt(now: number): CircuitState {
    if (!this.#isOpen) return "closed";
    return now < this.#retryAt && !this.probe ? "open" : "half_open";
  }

  /** Whether the agent gets no ask for the model. */
  isBlockedAt(now: number): boolean {
    return this.#isOpen && this.isAvoidedAt(now);
  }

  /** Whether the agent gets an ask for the model only if no other agent has room. */
  isAvoidedAt(now: number): boolean {
    return this.probe !== undefined || now < this.#retryAt;
  }

  /** Until when the agent gets no ask though the circuit is closed, so that one that fails at once does not take many. */
  get cooledAt(): number {
    const pauseMs = COOLING_MS[Math.min(this.#failures, COOLING_MS.length) - 1] ?? 0;
    return this.#isOpen ? 0 : this.last.at + pauseMs;
  }

  isCoolingAt(now: number): boolean {
    return now < this.cooledAt;
  }

  /** How long the circuit stays blocked, as far as is known. */
  waitMs(now: number): number {
    return Math.max(this.#retryAt - now, this.probe ? PROBED_MS : 0);
  }

  /**
   * The streamed answer of the probe has begun. Other asks need not wait for its end, but one more failure, such as
   * a cut of this stream, opens the circuit again.
   */
  begin(failuresMax: number): void {
    this.probe = undefined;
    if (this.#isOpen) this.#failures = failuresMax - 1;
    this.#isOpen = false;
  }

  /**
   * Notes a failure. Returns whether the circuit opened, or opened again. While it is open, only the probe
   * counts: the other asks were sent before. It opens with `failuresMax` failures in a row, a second after the
   * first at the earliest, or with one that has a `Retry-After`; with 0 never. `random` is 0 to 1.
   */
  fail(failure: Failure, failuresMax: number, random: number): boolean {
    if (this.#isOpen && !failure.isProbe) return false;
    const { at, sentAt, error } = failure;
    if (this.#failures === 0 || failure.isProbe || sentAt > this.last.at) this.#pauses++;
    if (this.#failures++ === 0) this.#since = at;
    this.last = failure;
    const retryAfterMs = error.retryAfterMs ?? 0;
    const isEnough = this.#failures >= failuresMax && (at - this.#since >= ROW_MS_MIN || failuresMax === 1);
    this.#isOpen ||= failuresMax > 0 && (isEnough || retryAfterMs > 0);
    // What was sent while it was closed does not decide about an open one.
    if (this.#isOpen) this.probe = undefined;
    const step = Math.min(this.#pauses, PAUSES_MS.length) - 1;
    const pauseMs = Math.ceil((PAUSES_MS[step] ?? 0) * (1 + JITTER * random));
    this.#retryAt = at + Math.max(pauseMs, retryAfterMs);
    return this.#isOpen;
  }
}

/** A name that cannot be a part of a request. */
const NAME = /^[\w.:-]{1,64}$/;

/**
 * Returns why the ask failed, without anything that the upstream wrote, as that may have parts of the request:
 * the failure of one user's ask is shown to others.
 */
export function shownReason({ code, message, upstream, extra }: AppError): string {
  const { status, body, code: name = upstream?.type } = upstream ?? {};
  const named = name !== undefined && NAME.test(name) ? ` (${name})` : "";
  if (status !== undefined) return `the upstream responded with status ${status}${named}`;
  if (body !== undefined) return `the upstream reported an error${named}`;
  const err = extra?.["err"];
  if (typeof err === "string") return err;
  const text = ERRORS[code].plainMessage ?? message;
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Returns the error with another time after which to try again. */
export function retryLater(error: AppError, retryAfterMs: number): AppError {
  const { code, message, hint, upstream, extra } = error;
  const others = Object.entries(upstream?.headers ?? {}).filter(([name]) => !name.startsWith("retry-after"));
  return new AppError(code, {
    message,
    ...(hint !== undefined && { hint }),
    ...(extra && { extra }),
    ...(upstream && { upstream: { ...upstream, headers: Object.fromEntries(others) } }),
    retryAfterMs,
  });
}

/**
 * Returns the error of an ask for which all agents are blocked: the last failure, with the time until an agent
 * is asked again. Only the user whose ask failed sees the upstream's own words.
 */
export function blockedError(
  { error, principal }: Failure,
  asker: Principal,
  retryAfterMs: number,
): AppError {
  const { code, upstream, extra } = error;
  const hint = `The agents of this model failed and are asked again in ${Math.ceil(retryAfterMs / 1000)} s.`;
  const isOwn = principal && userIdOf(principal) === userIdOf(asker);
  const shown = isOwn
    ? { ...(extra && { extra }), ...(upstream && { upstream }) }
    : { extra: { err: shownReason(error) }, ...(upstream && { upstream: { status: upstream.status } }) };
  return retryLater(new AppError(code, { ...shown, hint }), retryAfterMs);
}
