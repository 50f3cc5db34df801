/** The limit of OpenAI, vLLM and llama.cpp. Claude Code and MCP servers have longer names. */
const NAME_LENGTH_MAX = 64;
const HASH_LENGTH = 12;

/**
 * Returns a name that is short enough, and that none of the `taken` names is. A name that must change keeps
 * its beginning and gets a hash of `key`. So it is the same in every request, whatever else is offered, and
 * the prompt stays in the upstream's cache.
 */
export function shortName(name: string, key: string, taken: (name: string) => boolean): string {
  if (name.length <= NAME_LENGTH_MAX && !taken(name)) return name;
  for (let attempt = 0; ; attempt++) {
    const hash = Bun.SHA256.hash(`${attempt} ${key}`, "hex").slice(0, HASH_LENGTH);
    const short = `${name.slice(0, NAME_LENGTH_MAX - HASH_LENGTH - 1)}_${hash}`;
    if (!taken(short)) return short;
  }
}

/** The names of tools for an upstream, and the caller's names for the answer. */
export class ToolNames {
  readonly #short = new Map<string, string>();
  readonly #given = new Map<string, string>();

  /** `offered` are the caller's names of the tools that the model may call. */
  constructor(offered: readonly string[]) {
    // Names that need not change come first, so that no other gets one of them.
    for (const name of offered.filter(({ length }) => length <= NAME_LENGTH_MAX)) this.shorten(name);
    for (const name of offered) this.shorten(name);
  }

  /** Returns the upstream's name. A tool of the history need not be offered any more. */
  readonly shorten = (name: string): string => {
    const known = this.#short.get(name);
    if (known !== undefined) return known;
    const short = shortName(name, name, (wanted) => this.#given.has(wanted));
    this.#short.set(name, short);
    this.#given.set(short, name);
    return short;
  };

  /** Returns the caller's name, or the given name if the model made it up. */
  readonly restore = (short: string): string => this.#given.get(short) ?? short;
}
