import type { Clock } from "../../src/clock.ts";

interface Timer {
  at: number;
  order: number;
  run: (() => void) | undefined;
}

/** Timers that were cancelled stay where they are until there are more of them than of the others. */
const CANCELLED_MIN = 1_000;

/** How many timers run before promises that are settled are looked after. */
const BATCH = 2_000;

/** A clock that jumps from timer to timer, and can hold very many of them. */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  #cancelled = 0;
  /** A binary heap: each timer is due no later than the two at twice its place and one more. */
  #heap: Timer[] = [];

  constructor(readonly startsAt = 1_700_000_000_000) {
    this.#now = startsAt;
  }

  now = (): number => this.#now;

  after = (delayMs: number, run: () => void): (() => void) => {
    const timer: Timer = { at: this.#now + Math.max(delayMs, 0), order: this.#order++, run };
    this.#heap.push(timer);
    this.#rise(this.#heap.length - 1);
    return () => {
      if (!timer.run) return;
      timer.run = undefined;
      if (++this.#cancelled > CANCELLED_MIN && this.#cancelled > this.#heap.length / 2) this.#tidy();
    };
  };

  /** Runs timers until `isOver`, and calls `look` after all timers of a moment. */
  async run(isOver: () => boolean, look: () => void): Promise<void> {
    while (!isOver()) {
      for (let left = BATCH; left > 0 && !isOver(); left--) {
        const timer = this.#take();
        if (!timer?.run) throw new Error("Nothing is left to happen.");
        if (timer.at > this.#now) look();
        this.#now = Math.max(this.#now, timer.at);
        const { run } = timer;
        timer.run = undefined;
        run();
      }
      await Promise.resolve();
    }
  }

  #take(): Timer | undefined {
    for (;;) {
      const first = this.#heap[0];
      const last = this.#heap.pop();
      if (!first || !last) return undefined;
      if (first !== last) {
        this.#heap[0] = last;
        this.#sink(0);
      }
      if (first.run) return first;
      this.#cancelled--;
    }
  }

  #rise(from: number): void {
    const heap = this.#heap;
    const timer = heap[from] as Timer;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = heap[above] as Timer;
      if (isBefore(other, timer)) break;
      heap[at] = other;
      at = above;
    }
    heap[at] = timer;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const timer = heap[from] as Timer;
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Timer, heap[below] as Timer)) below++;
      const other = heap[below] as Timer;
      if (isBefore(timer, other)) break;
      heap[at] = other;
      at = below;
    }
    heap[at] = timer;
  }

  #tidy(): void {
    this.#heap = this.#heap.filter(({ run }) => run !== undefined);
    this.#cancelled = 0;
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at--) this.#sink(at);
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
