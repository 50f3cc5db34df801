/** When a list that follows the live figures is asked for again. */
export interface Pace {
  /** `mark` stands for the figures: another one says that the list has changed. */
  isDue(mark: string): boolean;
  /** It is being asked for now. */
  asked(mark: string): void;
}

const CHANGED_MS = 1_000;
/** What changes without the figures: when an agent was heard, or one that took another's place. */
const UNCHANGED_MS = 5_000;

export function createPace(now: () => number): Pace {
  let last: { at: number; mark: string } | undefined;
  return {
    isDue(mark) {
      if (!last) return true;
      const passed = now() - last.at;
      return passed >= (mark === last.mark ? UNCHANGED_MS : CHANGED_MS);
    },
    asked(mark) {
      last = { at: now(), mark };
    },
  };
}
