import type { UserStore } from "../store/store.ts";
import { every as onTimer } from "../time.ts";

interface UserWatchOptions {
  users: Pick<UserStore, "find">;
  /** The ids of the users who have an ask that waits or runs. */
  open: () => Iterable<string>;
  /** Ends all asks of a deleted or disabled user. */
  revoke: (user: string) => void;
  onError: (error: unknown) => void;
  every?: typeof onTimer;
}

/** A change by another process, such as `users disable`, takes effect within this time. */
const RECHECK_MS = 1_000;

/** Looks up each user who has an open ask, every second. Returns a function that stops the look-ups. */
export function watchUsers({ users, open, revoke, onError, every = onTimer }: UserWatchOptions): () => void {
  let isReadable = true;
  let isLooking = false;

  async function look(): Promise<void> {
    try {
      for (const id of [...open()]) {
        const user = await users.find(id);
        if (!user || user.disabledAt !== null) revoke(id);
      }
      isReadable = true;
    } catch (error) {
      // One report is enough until the users can be read again.
      if (isReadable) onError(error);
      isReadable = false;
    }
  }

  return every(RECHECK_MS, () => {
    if (isLooking) return;
    isLooking = true;
    void look().finally(() => {
      isLooking = false;
    });
  });
}
