import { BoundedMap } from "../../bounded-map.ts";
import { RESPONSE_AGE_MS } from "../models/responses/memory.ts";

interface Deletion {
  owner: string | null;
  id: string;
  at: number;
}

const KEPT_MAX = 10_000;

/** The responses that were deleted lately: a copy of another node, or one that is on its way, must not come back. */
export class Deletions {
  /** Those that existed, the last one last. */
  readonly #deleted = new BoundedMap<string, Deletion>(KEPT_MAX);
  /** All that callers wanted to delete, with the number of the deletion. */
  readonly #asked = new BoundedMap<string, number>(KEPT_MAX);
  #count = 0;

  constructor(private readonly now: () => number) {}

  /** How many there were so far. */
  get count(): number {
    return this.#count;
  }

  /** The caller wants to delete it: what is read of it from now on counts. */
  begin(owner: string | null, id: string): void {
    this.#asked.set(keyOf(owner, id), ++this.#count);
  }

  /** It existed, and is deleted. */
  note(owner: string | null, id: string): void {
    this.#deleted.set(keyOf(owner, id), { owner, id, at: this.now() });
  }

  /** Whether it was deleted since there were `count` deletions. */
  isSince(owner: string | null, id: string, count: number): boolean {
    return (this.#asked.get(keyOf(owner, id)) ?? 0) > count;
  }

  /** Returns those that other nodes may still have in memory. */
  *list(): Iterable<readonly [owner: string | null, id: string]> {
    const since = this.now() - RESPONSE_AGE_MS;
    for (const { owner, id, at } of this.#deleted.values()) if (at > since) yield [owner, id];
  }
}

const keyOf = (owner: string | null, id: string): string => JSON.stringify([owner, id]);
