import type { Model } from "../../protocol/agent-v2.ts";

interface Entry {
  /** How many times connected agents offer the model now. */
  offers: number;
  /** How many of these are v1 agents. */
  v1Offers: number;
  /** When it was first offered, in milliseconds since 1970. */
  since: number;
  /** The id of the agent that offered it first. */
  owner: string;
}

/** The part of an agent that matters here. */
interface Offerer {
  id: string;
  isV1: boolean;
}

/** How many models are remembered that nobody offers any more. */
const REMEMBERED_MAX = 10_000;

/**
 * The models that connected agents offer, and those that they offered before: such a model may come back, any
 * other will not. What is offered now is always known. When there is too much to remember, the agent that has
 * the most is the one whose oldest models are forgotten, so no agent can displace the models of another.
 */
export class ModelBook {
  readonly #models = new Map<string, Entry>();
  /** The models that nobody offers now, by their owners, oldest first. No set is empty. */
  readonly #remembered = new Map<string, Set<string>>();
  #rememberedCount = 0;

  /** Whether an agent offers the model, or is remembered to have offered it. */
  has(model: string): boolean {
    return this.#models.has(model);
  }

  isOffered(model: string): boolean {
    return (this.#models.get(model)?.offers ?? 0) > 0;
  }

  /** Whether a v1 agent offers the model. */
  isOfferedByV1(model: string): boolean {
    return (this.#models.get(model)?.v1Offers ?? 0) > 0;
  }

  /** Returns when the model was first offered. */
  since(model: string): number | undefined {
    return this.#models.get(model)?.since;
  }

  /** Notes that the agent offers these models from now on. */
  add({ id: owner, isV1 }: Offerer, models: readonly Model[], now: number): void {
    for (const { id } of models) {
      const entry = this.#models.getOrInsertComputed(id, () => ({
        offers: 0,
        v1Offers: 0,
        since: now,
        owner,
      }));
      if (entry.offers === 0) this.#unremember(id, entry);
      entry.offers++;
      if (isV1) entry.v1Offers++;
    }
  }

  /** Notes that the agent no longer offers these models, which it has offered. */
  remove({ isV1 }: Offerer, models: readonly Model[]): void {
    for (const { id } of models) {
      const entry = this.#models.get(id);
      if (!entry) continue;
      if (isV1) entry.v1Offers--;
      if (--entry.offers > 0) continue;
      this.#remembered.getOrInsertComputed(entry.owner, () => new Set()).add(id);
      this.#rememberedCount++;
    }
    while (this.#rememberedCount > REMEMBERED_MAX) this.#forgetSome();
  }

  #unremember(model: string, { owner }: Entry): void {
    const own = this.#remembered.get(owner);
    if (!own?.delete(model)) return;
    this.#rememberedCount--;
    if (own.size === 0) this.#remembered.delete(owner);
  }

  /** Forgets what the owner with the most models has above the average, at least one. */
  #forgetSome(): void {
    let most: Set<string> | undefined;
    for (const own of this.#remembered.values()) if (own.size > (most?.size ?? 0)) most = own;
    const average = Math.floor(REMEMBERED_MAX / this.#remembered.size);
    let count = Math.min(this.#rememberedCount - REMEMBERED_MAX, (most?.size ?? 0) - average);
    for (const model of most ?? []) {
      if (count-- <= 0) return;
      const entry = this.#models.get(model);
      this.#models.delete(model);
      if (entry) this.#unremember(model, entry);
    }
  }
}
