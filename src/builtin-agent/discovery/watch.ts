import type { Cancel, Clock } from "../../clock.ts";
import { BackOff } from "../back-off.ts";
import type { FoundServer } from "./discover.ts";

interface DiscoveryWatchOptions {
  /** Looks for model servers now. Never rejects. */
  look: () => Promise<readonly FoundServer[]>;
  /** Called once for each model server, by its URL. */
  onFound: (found: FoundServer) => void;
  clock: Clock;
  /** Returns 0 to 1. */
  random: () => number;
}

const PAUSES = { firstMs: 20_000, maxMs: 300_000 };
const PAUSE_MS_MIN = 5_000;

/**
 * Looks again and again for model servers that were started later. The pauses grow to at most five minutes, and begin
 * anew when one was found, as people start several in a row.
 */
export class DiscoveryWatch {
  readonly #known = new Set<string>();
  readonly #backOff: BackOff;
  #cancel: Cancel = () => {};
  #isStopped = false;

  constructor(private readonly options: DiscoveryWatchOptions) {
    this.#backOff = new BackOff(options.random, PAUSES);
  }

  /** Looks for the first time, and then periodically until `stop`. Resolves after the first look. */
  async start(): Promise<void> {
    await this.#look();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  async #look(): Promise<void> {
    const { look, onFound, clock } = this.options;
    const all = await look();
    if (this.#isStopped) return;
    for (const found of all) {
      // One that seemed to be the same process is added when it no longer does.
      if ([found.url, ...found.alsoAt].some((url) => this.#known.has(url))) continue;
      this.#known.add(found.url);
      this.#backOff.reset();
      onFound(found);
    }
    const pauseMs = Math.max(PAUSE_MS_MIN, this.#backOff.next());
    this.#cancel = clock.after(pauseMs, () => void this.#look());
  }
}
