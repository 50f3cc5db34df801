/** The part of a measured answer that counts. */
export interface Measured {
  /** From the moment the ask was sent until the first byte, and until the end of the answer. */
  firstByteMs: number;
  wholeMs: number;
  /** Undefined if nobody knows. */
  outputTokens: number | undefined;
}

/** Answers are compared as if all had this many tokens. */
const TYPICAL_TOKENS = 100;
/** The time of a shorter answer is mostly that of its prompt. */
const TOKENS_MIN = 25;
/** Answers of at least this many tokens count in full, shorter ones by their tokens: they tell less. */
const FULL_TOKENS = 50;
const WEIGHT_MIN = 0.1;
/** The weight of a new answer in the average. */
const NEW_SHARE = 0.15;
/** The average of fewer answers says too little to call an agent slow. */
const COUNT_MIN = 5;

/**
 * Returns how long an answer of a typical length takes at the measured speed. A streamed answer tells the time to
 * its first byte and the time between tokens; of any other only the whole time is known.
 */
export function typicalMs({ firstByteMs, wholeMs, outputTokens }: Measured): number {
  if (outputTokens === undefined) return Math.max(wholeMs, 1);
  const streamedMs = wholeMs - firstByteMs;
  const tokens = Math.max(outputTokens, TOKENS_MIN);
  const ms =
    streamedMs > 0
      ? firstByteMs + (streamedMs * TYPICAL_TOKENS) / tokens
      : (wholeMs * TYPICAL_TOKENS) / tokens;
  return Math.max(ms, 1);
}

function weightOf({ outputTokens = FULL_TOKENS }: Measured): number {
  return Math.min(Math.max(outputTokens / FULL_TOKENS, WEIGHT_MIN), 1);
}

/** An agent that was found slow is tried again after this time, and after twice as long each time it still is. */
const TRIAL_MS_MIN = 10_000;
const TRIAL_MS_MAX = 300_000;

/** An agent is faster than before if the answer took at most this share of the average. */
const FASTER = 0.5;

/**
 * The speed at which an agent answers with a model: a moving average of logarithms, so that one very long prompt
 * does not make an agent slow.
 */
export class Speed {
  #log: number | undefined;
  #count = 0;
  #isTried = false;
  #trialPauseMs = TRIAL_MS_MIN;
  /** When it may be tried though it is slow, in milliseconds since 1970. */
  trialAt = 0;

  /** The expected time of a typical answer; undefined before the first. */
  get expectedMs(): number | undefined {
    return this.#log === undefined ? undefined : Math.exp(this.#log);
  }

  /** Whether there were enough answers to call the agent slow. */
  get isCertain(): boolean {
    return this.#count >= COUNT_MIN;
  }

  note(measured: Measured, now: number): void {
    this.#count++;
    const log = Math.log(typicalMs(measured));
    const before = this.#log ?? log;
    const isFaster = log <= before + Math.log(FASTER);
    // The answers before a trial tell little about how the agent is now.
    this.#log = this.#isTried ? log : before + (log - before) * NEW_SHARE * weightOf(measured);
    if (isFaster) this.#trialPauseMs = TRIAL_MS_MIN;
    this.#isTried = false;
    this.trialAt = now + this.#trialPauseMs;
  }

  /** It is slow, and is sent an ask to see whether it still is. */
  beginTrial(now: number): void {
    this.#isTried = true;
    this.#trialPauseMs = Math.min(this.#trialPauseMs * 2, TRIAL_MS_MAX);
    this.trialAt = now + this.#trialPauseMs;
  }
}
