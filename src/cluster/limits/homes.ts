/**
 * Chooses the home of each user among the nodes, by rendezvous hashing: each node has a weight for each user, and the
 * heaviest is the home. So nodes that know of each other agree without a message, and a node that comes or goes changes
 * the homes of its own users only. The hash is written here, as nodes of different versions must agree on it.
 */
export class Homes {
  #nodes: { id: string; hash: number }[] = [];

  constructor(ids: Iterable<string>) {
    for (const id of ids) this.add(id);
  }

  add(id: string): void {
    if (!this.has(id)) this.#nodes.push({ id, hash: hashOf(id) });
  }

  delete(id: string): void {
    this.#nodes = this.#nodes.filter((node) => node.id !== id);
  }

  has(id: string): boolean {
    return this.#nodes.some((node) => node.id === id);
  }

  get size(): number {
    return this.#nodes.length;
  }

  ids(): string[] {
    return this.#nodes.map(({ id }) => id);
  }

  /** Returns the id of the user's home. */
  of(user: string): string {
    const hash = hashOf(user);
    let [home, heaviest] = ["", -1];
    for (const node of this.#nodes) {
      const weight = mix(hash ^ node.hash);
      if (weight < heaviest || (weight === heaviest && node.id < home)) continue;
      [home, heaviest] = [node.id, weight];
    }
    return home;
  }
}

/** FNV-1a over UTF-16 code units. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mix(hash);
}

/** The last step of MurmurHash3, which spreads each bit over all. */
function mix(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
