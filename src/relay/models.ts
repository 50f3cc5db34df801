import { BoundedMap } from "../bounded-map.ts";
import type { Model } from "../protocol/agent-v2.ts";

/** A model that an agent offers now. */
export interface OfferedModel {
  id: string;
  owned_by: string | undefined;
  /** When it was first offered, in milliseconds since 1970. */
  offeredAt: number;
}

const SEEN_MAX = 10_000;

/** Remembers which models were ever offered: such a model may come back, any other will not. */
export class ModelBook {
  /** When each was first offered. */
  readonly #seen = new BoundedMap<string, number>(SEEN_MAX);

  note(models: readonly Model[], now: number): void {
    for (const { id } of models) if (!this.#seen.has(id)) this.#seen.set(id, now);
  }

  knows(id: string): boolean {
    return this.#seen.has(id);
  }

  /** Returns the union of the offered models, sorted by name. */
  union(offers: Iterable<readonly Model[]>): OfferedModel[] {
    const models = new Map<string, OfferedModel>();
    for (const offer of offers) {
      for (const { id, owned_by } of offer) {
        const offeredAt = this.#seen.get(id) ?? 0;
        if (!models.has(id)) models.set(id, { id, owned_by, offeredAt });
      }
    }
    return [...models.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}
