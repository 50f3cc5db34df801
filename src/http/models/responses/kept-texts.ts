interface KeptTextsOptions {
  /** The most bytes of all texts together. */
  bytesMax: number;
  /** How long a text is kept after it was last used. */
  ageMs: number;
  now: () => number;
}

interface Entry<Value> {
  text: Value;
  bytes: number;
  usedAt: number;
}

/** The entries of one owner, the one that was used longest ago first. */
interface Owned<Value> {
  entries: Map<string, Entry<Value>>;
  bytes: number;
}

/** One owner may use this part of all bytes, so that nobody displaces the texts of everybody else. */
const OWNER_SHARE = 0.25;
/** About what an entry takes besides its text. So the number of entries is bounded, too. */
const ENTRY_BYTES = 300;
const SWEEP_EVERY_MS = 60_000;

/**
 * Texts, or other values with a length, by owner and id, in memory: bounded in bytes, number and time. Those that were used longest ago go first.
 * An owner never gets the texts of another. `null` stands for the administrator.
 */
export class KeptTexts<Value extends { readonly length: number } = string> {
  /** The owner that was active longest ago comes first. */
  readonly #owners = new Map<string | null, Owned<Value>>();
  #bytes = 0;
  #sweptAt = 0;

  constructor(private readonly options: KeptTextsOptions) {}

  /** The bytes of all texts. */
  get bytes(): number {
    return this.#bytes;
  }

  get(owner: string | null, id: string): Value | undefined {
    const owned = this.#owners.get(owner);
    const entry = owned?.entries.get(id);
    if (!owned || !entry) return undefined;
    this.#drop(owner, owned, id, entry);
    const at = this.options.now();
    if (entry.usedAt + this.options.ageMs <= at) return undefined;
    this.#add(owner, id, { ...entry, usedAt: at });
    return entry.text;
  }

  /** Keeps the text, unless it is larger than what one owner may use. */
  set(owner: string | null, id: string, text: Value): void {
    const at = this.options.now();
    this.#sweep(at);
    const owned = this.#owners.get(owner);
    const known = owned?.entries.get(id);
    if (owned && known) this.#drop(owner, owned, id, known);
    const bytes = 2 * (text.length + id.length) + ENTRY_BYTES;
    if (bytes <= this.options.bytesMax * OWNER_SHARE) this.#add(owner, id, { text, bytes, usedAt: at });
  }

  /** Forgets a text. False if it is not known. */
  delete(owner: string | null, id: string): boolean {
    const owned = this.#owners.get(owner);
    const known = owned?.entries.get(id);
    if (owned && known) this.#drop(owner, owned, id, known);
    return known !== undefined;
  }

  /** Forgets all texts of the owner. */
  forget(owner: string | null): void {
    this.#bytes -= this.#owners.get(owner)?.bytes ?? 0;
    this.#owners.delete(owner);
  }

  #add(owner: string | null, id: string, entry: Entry<Value>): void {
    const { bytesMax } = this.options;
    const owned = this.#owners.get(owner) ?? { entries: new Map<string, Entry<Value>>(), bytes: 0 };
    // The owner becomes the one that was active last.
    this.#owners.delete(owner);
    this.#owners.set(owner, owned);
    owned.entries.set(id, entry);
    owned.bytes += entry.bytes;
    this.#bytes += entry.bytes;
    while (owned.bytes > bytesMax * OWNER_SHARE) this.#dropOldest(owner, owned);
    while (this.#bytes > bytesMax) {
      const [first] = this.#owners;
      if (first) this.#dropOldest(...first);
    }
  }

  #dropOldest(owner: string | null, owned: Owned<Value>): void {
    const [oldest] = owned.entries;
    if (oldest) this.#drop(owner, owned, ...oldest);
  }

  #drop(owner: string | null, owned: Owned<Value>, id: string, { bytes }: Entry<Value>): void {
    owned.entries.delete(id);
    owned.bytes -= bytes;
    this.#bytes -= bytes;
    if (owned.entries.size === 0) this.#owners.delete(owner);
  }

  /** Drops what is too old, now and then. */
  #sweep(at: number): void {
    if (this.#sweptAt + SWEEP_EVERY_MS > at) return;
    this.#sweptAt = at;
    for (const [owner, owned] of this.#owners) {
      for (const [id, entry] of owned.entries) {
        if (entry.usedAt + this.options.ageMs > at) break;
        this.#drop(owner, owned, id, entry);
      }
    }
  }
}
