/** A map that forgets the entry set longest ago when a new key exceeds `max`. Too small for a library. */
export class BoundedMap<Key, Value> extends Map<Key, Value> {
  constructor(private readonly max: number) {
    super();
  }

  /** Also makes the key the youngest. */
  override set(key: Key, value: Value): this {
    this.delete(key);
    if (this.size >= this.max) {
      const [oldest] = this.keys();
      if (oldest !== undefined) this.delete(oldest);
    }
    return super.set(key, value);
  }
}
