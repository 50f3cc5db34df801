/**
 * How many asks all upstreams of a process take at once. Bun runs 256 requests of a process at once, and some must be
 * left for health checks and model lists. Asks beyond that would wait for those of another upstream.
 */
export const PROCESS_SLOTS = 240;

/** The slots of an upstream that does not say how many requests it answers at once. */
const SLOTS_BY_DEFAULT = 8;

/** Divides the slots of a process among its upstreams. The first one gets what it wants. */
export class SlotBudget {
  readonly #granted = new Map<object, number>();

  /**
   * Returns the slots of one upstream as a function of what that upstream declares. A chosen number is kept for it;
   * `auto` stands for the declared one, or 8. Every upstream gets at least one slot.
   */
  share(chosen: number | "auto"): (declared: number | undefined) => number {
    const owner = {};
    const grant = (declared: number | undefined) => {
      const wanted = chosen === "auto" ? (declared ?? SLOTS_BY_DEFAULT) : chosen;
      const slots = Math.max(1, Math.min(wanted, PROCESS_SLOTS - this.#grantedToOthers(owner)));
      this.#granted.set(owner, slots);
      return slots;
    };
    grant(undefined);
    return grant;
  }

  #grantedToOthers(owner: object): number {
    let sum = 0;
    for (const [other, slots] of this.#granted) if (other !== owner) sum += slots;
    return sum;
  }
}
