/** When a list that follows the live figures is asked for again. */
export interface PollSchedule {
  /** `mark` stands for the figures: another one says that the list has changed. `length` is that of the list. */
  isDue(mark: string, length?: number): boolean;
  /** It is being asked for now. */
  asked(mark: string): void;
}

const CHANGED_MS = 1_000;
/** What changes without the figures: when an agent was heard, or one that took another's place. */
const UNCHANGED_MS = 5_000;
/** A row costs the server some 2 µs, so that a page takes some thousandths of a core, however long the list. */
const ROW_MS = 1;

export function createPollSchedule(now: () => number): PollSchedule {
  let last: { at: number; mark: string } | undefined;
  return {
    isDue(mark, length = 0) {
      if (!last) return true;
      const changedMs = Math.min(UNCHANGED_MS, Math.max(CHANGED_MS, length * ROW_MS));
      return now() - last.at >= (mark === last.mark ? UNCHANGED_MS : changedMs);
    },
    asked(mark) {
      last = { at: now(), mark };
    },
  };
}
