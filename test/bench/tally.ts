/** What the callers saw in one stretch of time. */
export interface Tally {
  /** Good answers, or deltas of them. */
  units: number;
  refused: number;
  /** Of whole exchanges, and until the first byte of a streamed answer. */
  latenciesMs: number[];
  firstsMs: number[];
  /** Good answers. */
  byToken: Map<string, number>;
}

export function createTally(): Tally {
  return { units: 0, refused: 0, latenciesMs: [], firstsMs: [], byToken: new Map() };
}
