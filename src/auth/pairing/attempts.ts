import { AppError } from "../../errors.ts";
import { createFailedKeys } from "../failed-keys.ts";

/** Wrong codes in a minute. With 100 open codes of 40 bits, ten minutes at the second limit guess one in ten million. */
const ADDRESS_MAX = 10;
const ALL_MAX = 100;

const HINT =
  "Wait, then try again with a code that was made meanwhile. Agents that have a key are not affected.";

export type PairingAttempts = ReturnType<typeof createPairingAttempts>;

/**
 * Bounds the guesses of pairing codes, by address and in all. Unlike a key, a code over the limit is refused even if it
 * is right: it is short enough to be guessed otherwise. An attempt counts before its code is looked up, so that many at
 * once do not pass together.
 */
export function createPairingAttempts(elapsedMs: () => number) {
  const byAddress = createFailedKeys({ max: () => ADDRESS_MAX, elapsedMs });
  const all = createFailedKeys({ max: () => ALL_MAX, elapsedMs });

  return {
    /**
     * Counts an attempt. Returns a function that takes it back, for a code that was right. Throws pairing_limited. An
     * address over its own limit does not use up what all have together.
     */
    begin(address: string | undefined): () => void {
      const over = byAddress.note(address) ?? all.note(undefined);
      if (over) throw new AppError("pairing_limited", { hint: HINT, retryAfterMs: over.retryAfterMs });
      return () => {
        byAddress.takeBack(address);
        all.takeBack(undefined);
      };
    },
  };
}
