/** Stops what was scheduled. Harmless if it has run already, and if it is called twice. */
export type Cancel = () => void;

/** The time, as a parameter, so that tests can move it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  after(delayMs: number, run: () => void): Cancel;
}
