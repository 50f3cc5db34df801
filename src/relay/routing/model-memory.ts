import type { Model } from "../../protocol/agent-v2.ts";

/** An upstream that has loaded a model keeps it for at least this time, if asks for it wait. */
const KEPT_MS_MIN = 10_000;
/** It keeps the model for this many times as long as it took to load it, with an upper bound. */
const KEPT_PER_LOAD = 3;
const KEPT_MS_MAX = 60_000;

/** The weight of one more load in the average. */
const NEW_SHARE = 0.3;

/** The models that an upstream has in memory: those it told of last, as far as the asks sent since change that. */
export class ModelMemory {
  /** Whether each model that it tells of is in memory. */
  #loaded = new Map<string, boolean>();
  /** The models in memory, the least recently used first. */
  readonly #held = new Set<string>();
  /** How many it has had in memory at once. */
  #heldMax = 1;
  #loadedAt = Number.NEGATIVE_INFINITY;
  #loadMs = 0;

  /** The upstream tells which models it has in memory. */
  report(models: readonly Model[]): void {
    this.#loaded = new Map(models.flatMap(({ id, loaded }) => (loaded === undefined ? [] : [[id, loaded]])));
    for (const id of this.#held) if (!this.#loaded.get(id)) this.#held.delete(id);
    for (const [id, isLoaded] of this.#loaded) if (isLoaded) this.#held.add(id);
    this.#heldMax = Math.max(this.#heldMax, this.#held.size);
  }

  /** Whether the model is in memory; undefined if the upstream does not tell. */
  has(model: string): boolean | undefined {
    return this.#loaded.has(model) ? this.#held.has(model) : undefined;
  }

  /**
   * An ask for the model is sent. If the upstream has to load it, others may have to leave: as many as if it never
   * had more in memory than it told of. Returns whether it has to.
   */
  use(model: string, now: number): boolean {
    const isKnown = this.has(model);
    if (isKnown === undefined) return false;
    this.#held.delete(model);
    this.#held.add(model);
    if (isKnown) return false;
    this.#loadedAt = now;
    for (const oldest of this.#held) {
      if (this.#held.size <= this.#heldMax) break;
      this.#held.delete(oldest);
    }
    return true;
  }

  /** The answer of an ask for which a model was loaded has begun after this time. */
  noteLoad(ms: number): void {
    this.#loadMs = this.#loadMs === 0 ? ms : this.#loadMs + (ms - this.#loadMs) * NEW_SHARE;
  }

  /** Returns for how long the model that was loaded last is kept still, if asks for it wait. */
  keptMs(now: number): number {
    const keptMs = Math.min(Math.max(this.#loadMs * KEPT_PER_LOAD, KEPT_MS_MIN), KEPT_MS_MAX);
    return this.#loadedAt + keptMs - now;
  }
}
