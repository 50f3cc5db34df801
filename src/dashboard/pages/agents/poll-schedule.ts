/** Decides when to reload a list whose changes show in the live overview. */
export interface PollSchedule {
  /**
   * Whether to reload now. A new `fingerprint` means that the list has changed. `length` is the list's
   * length.
   */
  isDue(fingerprint: string, length?: number): boolean;
  /** Records that the list is being reloaded now. */
  reloaded(fingerprint: string): void;
}

const CHANGED_MS = 1_000;
/**
 * For changes that the overview does not show: when an agent was last seen, or one agent that replaced
 * another.
 */
const UNCHANGED_MS = 5_000;
/**
 * A row costs the server some 2 µs, so a page costs it a few thousandths of a core, however long the list is.
 */
const ROW_MS = 1;

export function createPollSchedule(now: () => number): PollSchedule {
  let last: { at: number; fingerprint: string } | undefined;
  return {
    isDue(fingerprint, length = 0) {
      if (!last) return true;
      const changedMs = Math.min(UNCHANGED_MS, Math.max(CHANGED_MS, length * ROW_MS));
      return now() - last.at >= (fingerprint === last.fingerprint ? UNCHANGED_MS : changedMs);
    },
    reloaded(fingerprint) {
      last = { at: now(), fingerprint };
    },
  };
}
