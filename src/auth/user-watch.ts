import { AppError } from "../errors.ts";
import type { TokenOwner, UserStore } from "../store/store.ts";
import { every as onTimer } from "../time.ts";
import { whyInvalid } from "./token-owners.ts";

/** An ask of a user that waits or runs. */
export interface OpenAsk {
  /** The hash of the token that it came with. */
  tokenHash: string;
  /** The model that it is for, by the name that agents know; undefined until one is known. */
  model: string | undefined;
  end(error: AppError): void;
}

interface UserWatchOptions {
  users: Pick<UserStore, "findByTokenHash">;
  /** The open asks. Those that wait come first; otherwise they would take the slots that the others free. */
  open: () => Iterable<OpenAsk>;
  /** Whether the owner of a token may use the model. */
  mayUse: (owner: TokenOwner, model: string) => boolean;
  onError: (error: unknown) => void;
  every?: typeof onTimer;
  now?: () => number;
}

/** A change by another process, such as `users rotate`, takes effect within a second: this time, and that of the look-ups. */
const RECHECK_MS = 900;
/** The look-ups that run at once. One after another they would take long if the database is on another machine. */
const LOOK_UPS = 100;

/**
 * Ends the asks that would be refused if they came now: because the token is gone or no longer valid, or
 * because its owner may no longer use the model. Looks up the tokens of all open asks, about every second.
 */
export function watchUsers(options: UserWatchOptions) {
  const { users, open, mayUse, onError, every = onTimer, now = Date.now } = options;
  let isReadable = true;
  let isLooking = false;
  let isNext = false;

  async function look(): Promise<void> {
    const asks = Map.groupBy(open(), ({ tokenHash }) => tokenHash);
    const hashes = [...asks.keys()];
    for (let from = 0; from < hashes.length; from += LOOK_UPS) {
      const batch = hashes.slice(from, from + LOOK_UPS);
      const owners = await Promise.all(batch.map((hash) => users.findByTokenHash(hash)));
      for (const [nth, hash] of batch.entries()) endFaulty(asks.get(hash) ?? [], owners[nth]);
    }
  }

  function endFaulty(asks: readonly OpenAsk[], owner: TokenOwner | undefined): void {
    for (const ask of asks) {
      const fault = faultOf(owner, ask);
      if (fault) ask.end(fault);
    }
  }

  function faultOf(owner: TokenOwner | undefined, { model }: OpenAsk): AppError | undefined {
    if (!owner) return new AppError("key_unknown", { logAs: "key_revoked" });
    const logAs = whyInvalid(owner, now());
    if (logAs !== undefined) return new AppError("key_unknown", { logAs });
    return model === undefined || mayUse(owner, model) ? undefined : new AppError("model_not_allowed");
  }

  /** Looks now or, if a look-up is running, once more after it. */
  async function check(): Promise<void> {
    isNext = true;
    if (isLooking) return;
    isLooking = true;
    while (isNext) {
      isNext = false;
      try {
        await look();
        isReadable = true;
      } catch (error) {
        // One report is enough until the users can be read again.
        if (isReadable) onError(error);
        isReadable = false;
      }
    }
    isLooking = false;
  }

  const stop = every(RECHECK_MS, () => void check());
  return {
    /** Must be called when a user was changed by this process, so that the change takes effect at once. */
    check: () => void check(),
    stop,
  };
}
