import type { UserStore } from "../store/store.ts";
import { every as onTimer } from "../time.ts";

interface UserWatchOptions {
  users: Pick<UserStore, "find">;
  /** The users who have something open. */
  open: () => Iterable<string>;
  /** Ends what a user has open, who was deleted or disabled. */
  revoke: (user: string) => void;
  onError: (error: unknown) => void;
  /** Runs something again and again, which must not keep the process alive; the answer stops it. */
  every?: (ms: number, run: () => void) => () => void;
}

/** How soon it counts when another process, such as `users disable`, has shut a user out. */
const RECHECK_MS = 1_000;

/** Looks after users who have something open, a small look-up each, and none where nobody has. Gives what ends it. */
export function watchUsers({ users, open, revoke, onError, every = onTimer }: UserWatchOptions): () => void {
  let isReadable = true;
  let isLooking = false;

  async function look(): Promise<void> {
    for (const id of [...open()]) {
      const user = await users.find(id);
      if (!user || user.disabledAt !== null) revoke(id);
    }
    isReadable = true;
  }

  return every(RECHECK_MS, () => {
    if (isLooking) return;
    isLooking = true;
    const failed = (error: unknown) => {
      if (isReadable) onError(error);
      isReadable = false;
    };
    void look()
      .catch(failed)
      .finally(() => {
        isLooking = false;
      });
  });
}
