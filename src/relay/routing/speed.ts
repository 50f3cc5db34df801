/** An answer that was measured. */
export interface Measured {
  /** From the moment the ask was sent until the first byte, and until the end of the answer. */
  firstByteMs: number;
  wholeMs: number;
  /** Undefined if nobody knows. */
  outputTokens: number | undefined;
}

/** Answers are compared as if all had this many tokens. */
const TYPICAL_TOKENS = 100;
/** The time of a shorter answer that is not streamed is mostly that of its prompt. */
const TOKENS_MIN = 25;
/** Answers of at least this many tokens count in full, shorter ones by their tokens: they tell less. */
const FULL_TOKENS = 50;
const WEIGHT_MIN = 0.1;
/** Nobody notices whether a part takes less. */
const NOTICED_MS = 50;
/** The weight of a new answer in the average. */
const NEW_SHARE = 0.15;
/** The weight of the answer of a trial: those before it tell little about how the agent is now, but it is only one. */
const TRIAL_SHARE = 0.5;
/** The average of fewer answers says too little. */
const COUNT_MIN = 5;
/** A slower agent is tried again after this time, and after twice as long each time it still is slower. */
const TRIAL_MS_MIN = 10_000;
const TRIAL_MS_MAX = 300_000;
/** An agent is faster than before if an answer took at most this share of the average. */
const FASTER = 0.5;

/**
 * The parts of an answer's time that are compared: until the first byte, then for the typical number of tokens. Of an
 * answer that is not streamed only the whole is known, which is the last part.
 */
const PARTS = ["firstByteMs", "tokensMs", "wholeMs"] as const;
export type SpeedPart = (typeof PARTS)[number];
export type SpeedParts = { [Part in SpeedPart]?: number | undefined };

/** Returns the parts of an answer as if it had the typical number of tokens. */
export function typicalParts({ firstByteMs, wholeMs, outputTokens }: Measured): SpeedParts {
  const streamedMs = wholeMs - firstByteMs;
  if (outputTokens === undefined) return { wholeMs: noticeable(wholeMs) };
  if (streamedMs <= 0)
    return { wholeMs: noticeable((wholeMs * TYPICAL_TOKENS) / Math.max(outputTokens, TOKENS_MIN)) };
  const tokensMs = (streamedMs * TYPICAL_TOKENS) / Math.max(outputTokens, 1);
  return { firstByteMs: noticeable(firstByteMs), tokensMs: noticeable(tokensMs) };
}

const noticeable = (ms: number): number => Math.max(ms, NOTICED_MS);

/**
 * The speed at which an agent answers with a model: moving averages of logarithms, so that one very long prompt does
 * not make an agent slow.
 */
export class Speed {
  readonly #averages: SpeedParts = {};
  #count = 0;
  #isTried = false;
  #trialPauseMs = TRIAL_MS_MIN;
  /** When it may be tried though it is slower, and when it was last measured, in milliseconds since 1970. */
  trialAt = 0;
  measuredAt = 0;

  /** The averages; undefined before there were enough answers. */
  get parts(): Readonly<SpeedParts> | undefined {
    return this.#count >= COUNT_MIN ? this.#averages : undefined;
  }

  note(measured: Measured, now: number): void {
    this.#count++;
    const parts = typicalParts(measured);
    let isFaster = false;
    for (const part of PARTS) {
      const ms = parts[part];
      if (ms === undefined) continue;
      const before = this.#averages[part] ?? ms;
      isFaster ||= ms <= before * FASTER;
      const share = this.#isTried ? TRIAL_SHARE : NEW_SHARE * weightOf(measured);
      this.#averages[part] = before * (ms / before) ** share;
    }
    if (isFaster) this.#trialPauseMs = TRIAL_MS_MIN;
    this.#isTried = false;
    this.trialAt = now + this.#trialPauseMs;
    this.measuredAt = now;
  }

  /** It is slower, and is sent an ask to see whether it still is. */
  beginTrial(now: number): void {
    this.#isTried = true;
    this.#trialPauseMs = Math.min(this.#trialPauseMs * 2, TRIAL_MS_MAX);
    this.trialAt = now + this.#trialPauseMs;
  }
}

function weightOf({ outputTokens = FULL_TOKENS }: Measured): number {
  return Math.min(Math.max(outputTokens / FULL_TOKENS, WEIGHT_MIN), 1);
}

/**
 * Returns how many times as long an agent takes as the fastest: by the part of the answer in which it is least behind.
 * A cold cache or a long prompt slows down one part, an overloaded machine all.
 */
export function ratioOf(own: Readonly<SpeedParts> | undefined, fastest: Readonly<SpeedParts>): number {
  const ratio = Math.min(
    partRatio(own?.firstByteMs, fastest.firstByteMs),
    partRatio(own?.tokensMs, fastest.tokensMs),
    partRatio(own?.wholeMs, fastest.wholeMs),
  );
  return ratio === Number.POSITIVE_INFINITY ? 1 : ratio;
}

function partRatio(ms: number | undefined, fastestMs: number | undefined): number {
  return ms === undefined || fastestMs === undefined ? Number.POSITIVE_INFINITY : ms / fastestMs;
}

/** Returns the shortest time of each part. */
export function fastestOf(all: Iterable<Readonly<SpeedParts> | undefined>): SpeedParts {
  const fastest: SpeedParts = {};
  for (const parts of all)
    for (const part of PARTS) {
      const ms = parts?.[part];
      if (ms !== undefined) fastest[part] = Math.min(ms, fastest[part] ?? ms);
    }
  return fastest;
}

/** Returns the sum of the parts. */
export function sumOf({ firstByteMs, tokensMs, wholeMs }: Readonly<SpeedParts>): number {
  return firstByteMs !== undefined && tokensMs !== undefined ? firstByteMs + tokensMs : (wholeMs ?? 0);
}
