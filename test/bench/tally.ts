/** The results of the callers in one round. */
export interface Tally {
  /** The number of correct answers, or of their deltas. */
  units: number;
  refused: number;
  /** The latencies of whole exchanges, and those to the first byte of a streamed answer. */
  latenciesMs: number[];
  firstsMs: number[];
  /** The number of correct answers for each token. */
  byToken: Map<string, number>;
}

export function createTally(): Tally {
  return { units: 0, refused: 0, latenciesMs: [], firstsMs: [], byToken: new Map() };
}
