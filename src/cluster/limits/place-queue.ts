import type { Cancel, Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";

/**
 * How long an ask waits for a place among those that its user may run in parallel. With the time that reading a user's
 * tokens may take before, it stays below the time in which a home answers.
 */
const WAIT_MS = 80;
/** The asks that may wait at once: of one user, and of all. Any other is refused at once. */
const USER_WAITING_MAX = 16;
const WAITING_MAX = 10_000;

interface Waiter {
  /** Takes the place. Throws the refusal of the limits if there is none. */
  take: () => void;
  cancel: Cancel;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Whether the limits refused an ask since its user runs as many as they may. */
export const isFull = (error: unknown): boolean =>
  error instanceof AppError && error.code === "limit_parallel";

/**
 * The asks that wait a moment for a place. A user who has the answer of one node may ask at another before the home
 * hears that the first ask has ended.
 */
export class PlaceQueue {
  readonly #waiting = new Map<string, Waiter[]>();
  #size = 0;

  constructor(private readonly clock: Clock) {}

  /** Waits until `take` succeeds, or rejects with the refusal. Returns undefined if too many wait. */
  wait(user: string, refusal: unknown, take: () => void): Promise<void> | undefined {
    const waiters = this.#waiting.get(user) ?? [];
    if (waiters.length >= USER_WAITING_MAX || this.#size >= WAITING_MAX) return undefined;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cancel = this.clock.after(WAIT_MS, () => {
      this.#remove(user, waiter);
      reject(refusal);
    });
    const waiter: Waiter = { take, cancel, resolve, reject };
    waiters.push(waiter);
    this.#waiting.set(user, waiters);
    this.#size++;
    return promise;
  }

  /** Gives places of the user that are free to those that wait longest. */
  freed(user: string): void {
    for (let first = this.#waiting.get(user)?.[0]; first; first = this.#waiting.get(user)?.[0]) {
      let fault: { error: unknown } | undefined;
      try {
        first.take();
      } catch (error) {
        if (isFull(error)) return;
        fault = { error };
      }
      this.#remove(user, first);
      if (fault) first.reject(fault.error);
      else first.resolve();
    }
  }

  #remove(user: string, waiter: Waiter): void {
    waiter.cancel();
    const left = (this.#waiting.get(user) ?? []).filter((each) => each !== waiter);
    this.#size--;
    if (left.length > 0) this.#waiting.set(user, left);
    else this.#waiting.delete(user);
  }
}
