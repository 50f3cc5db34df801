import type { Clock } from "../../clock.ts";
import { MINUTE_MS } from "../../durations.ts";
import { type Principal, userIdOf } from "../../principal.ts";
import { type Linked, LinkedList } from "./linked-list.ts";
import { SeededHash } from "./seeded-hash.ts";

/** The keys of the parts of a request that an agent may have cached. */
export interface AffinityKeys {
  /** Texts that stand for a session or for the first messages of the request, the longest part first. */
  known: readonly string[];
  /** The texts to be remembered for the agent that gets the request. */
  kept: readonly string[];
}

interface AffinityBookOptions {
  clock: Pick<Clock, "now">;
  /** Returns 0 to 1, for a seed: nobody can choose keys that the book takes for one. */
  random: () => number;
  /** How many entries all users have together. */
  entriesMax?: number;
}

/** At most 25 MB. A request keeps one to three entries. */
export const AFFINITY_ENTRIES_MAX = 100_000;

/** How long an entry is kept after its last use. Few caches of prompts keep one longer. */
export const AFFINITY_AGE_MS = 30 * MINUTE_MS;

/** How many aged entries a note removes at most, so that no note takes long. */
const AGED_REMOVED_MAX = 16;

interface Entry extends Linked<Entry> {
  hash: number;
  agentId: string;
  usedAtMs: number;
}

interface User extends Linked<User> {
  id: string | null;
  usedAtMs: number;
  byHash: Map<number, Entry>;
  /** The one unused longest first. */
  entries: LinkedList<Entry>;
  /** The number of entries by which the user is found. */
  countedAs: number;
  place: Place;
}

/** The place of a user among those with as many entries. */
interface Place extends Linked<Place> {
  user: User;
}

/**
 * The agents that got requests lately, by user, model and key. Users share nothing. When the book is full, the user with
 * the most entries loses the one unused longest: of n users, each can have an nth of the book, whatever the others do.
 * Every operation takes constant time for each key.
 */
export class AffinityBook {
  readonly #users = new Map<string | null, User>();
  /** The one who was absent longest first. */
  readonly #byUse = new LinkedList<User>();
  /** The users by their number of entries. */
  readonly #byCount = new Map<number, LinkedList<Place>>();
  readonly #clock: Pick<Clock, "now">;
  readonly #entriesMax: number;
  readonly #hash: SeededHash;
  /** Called with each note of this node. */
  onNote: AffinityBook["note"] | undefined;
  #size = 0;
  /** The number of entries of the user who has the most. */
  #most = 0;

  constructor({ clock, random, entriesMax = AFFINITY_ENTRIES_MAX }: AffinityBookOptions) {
    this.#clock = clock;
    this.#entriesMax = entriesMax;
    this.#hash = new SeededHash(random());
  }

  /** The number of entries, including aged ones that are not removed yet. */
  get size(): number {
    return this.#size;
  }

  /** Returns the id of the agent that has the most of the request; undefined if none is known. */
  find(principal: Principal, model: string, { known }: AffinityKeys): string | undefined {
    if (known.length === 0) return undefined;
    const user = this.#users.get(userIdOf(principal));
    if (!user) return undefined;
    const now = this.#clock.now();
    this.#hash.begin(model);
    for (const key of known) {
      const entry = user.byHash.get(this.#hash.of(key));
      if (!entry || isAged(entry, now)) continue;
      this.#use(user, now);
      entry.usedAtMs = now;
      user.entries.remove(entry);
      user.entries.append(entry);
      return entry.agentId;
    }
    return undefined;
  }

  /** Notes that the agent has got the request. */
  note(principal: Principal, model: string, keys: AffinityKeys, agentId: string): void {
    if (keys.kept.length === 0) return;
    this.learn(principal, model, keys, agentId);
    this.onNote?.(principal, model, keys, agentId);
  }

  /** Notes what happened at another node. */
  learn(principal: Principal, model: string, { kept }: AffinityKeys, agentId: string): void {
    if (kept.length === 0) return;
    const now = this.#clock.now();
    const { first } = this.#byUse;
    if (first && isAged(first, now)) this.#remove(first);
    const user = this.#userOf(userIdOf(principal));
    this.#use(user, now);
    this.#removeAged(user, now);
    this.#hash.begin(model);
    for (const key of kept) {
      const hash = this.#hash.of(key);
      const old = user.byHash.get(hash);
      if (old) this.#removeEntry(user, old);
      const entry = { hash, agentId, usedAtMs: now, previous: undefined, next: undefined };
      user.byHash.set(hash, entry);
      user.entries.append(entry);
      this.#size++;
    }
    this.#count(user);
    while (this.#size > this.#entriesMax) this.#removeOne();
  }

  /** Forgets everything about a user. */
  forget(userId: string): void {
    const user = this.#users.get(userId);
    if (user) this.#remove(user);
  }

  #userOf(id: string | null): User {
    const known = this.#users.get(id);
    if (known) return known;
    const links = { previous: undefined, next: undefined };
    const place = { ...links } as Place;
    const entries = new LinkedList<Entry>();
    const user: User = { id, usedAtMs: 0, byHash: new Map(), entries, countedAs: 0, place, ...links };
    place.user = user;
    this.#users.set(id, user);
    this.#byUse.append(user);
    return user;
  }

  /** Makes the user the one who was here last. */
  #use(user: User, now: number): void {
    user.usedAtMs = now;
    this.#byUse.remove(user);
    this.#byUse.append(user);
  }

  #removeAged(user: User, now: number): void {
    for (let count = 0; count < AGED_REMOVED_MAX; count++) {
      const { first } = user.entries;
      if (!first || !isAged(first, now)) break;
      this.#removeEntry(user, first);
    }
    this.#count(user);
  }

  /** Removes the oldest entry of a user who has the most. */
  #removeOne(): void {
    const user = this.#byCount.get(this.#most)?.first?.user;
    if (!user?.entries.first) throw new Error("entries of nobody");
    this.#removeEntry(user, user.entries.first);
    this.#count(user);
    if (user.countedAs === 0) this.#remove(user);
  }

  #removeEntry(user: User, entry: Entry): void {
    user.byHash.delete(entry.hash);
    user.entries.remove(entry);
    this.#size--;
  }

  #remove(user: User): void {
    this.#users.delete(user.id);
    this.#byUse.remove(user);
    this.#size -= user.byHash.size;
    user.byHash.clear();
    this.#count(user);
  }

  /** Notes how many entries the user has now. */
  #count(user: User): void {
    const { countedAs: before, place } = user;
    const { size } = user.byHash;
    if (size === before) return;
    user.countedAs = size;
    const equals = this.#byCount.get(before);
    equals?.remove(place);
    if (equals && !equals.first) this.#byCount.delete(before);
    if (size > 0) {
      const those = this.#byCount.get(size) ?? new LinkedList();
      those.append(place);
      this.#byCount.set(size, those);
    }
    this.#most = Math.max(this.#most, size);
    // No further than the entries that were removed.
    while (this.#most > 0 && !this.#byCount.has(this.#most)) this.#most--;
  }
}

const isAged = ({ usedAtMs }: { usedAtMs: number }, now: number): boolean => now - usedAtMs > AFFINITY_AGE_MS;
