import type { Cancel, Clock } from "../../clock.ts";
import { coalesce, type Soon } from "../../relay/coalesce.ts";
import type { Link, NodeInfo } from "../part.ts";

interface IntroductionsOptions {
  link: Pick<Link, "send">;
  clock: Clock;
  /** Runs something in a later turn of the event loop. */
  soon: Soon;
  /** Whether other parts have more to tell a node that has joined. */
  isTelling: (nodeId: string) => boolean;
  /** Called once this node knows what the others have, or has waited long enough. */
  known: () => void;
}

/** Within this time after its start, a node hears of all others: each tells of itself every second. */
const HEAR_MS = 1_100;
/** It waits no longer for what they have. */
const KNOW_MS = 5_000;

/**
 * Tells a node that joins when it has heard of all agents of this one. A node that starts knows nothing of the agents of
 * the others at first: this tells how long that lasts.
 */
export class Introductions {
  /** The nodes that have more to tell, and those that this one has more to tell. */
  readonly #awaited = new Set<string>();
  readonly #untold = new Set<string>();
  readonly #tellSoon: () => void;
  /** When this node knows enough at the latest; undefined before its start, and once it does. */
  #until: number | undefined;
  #hasHeard = false;
  #stopTimer: Cancel = () => {};

  constructor(private readonly options: IntroductionsOptions) {
    this.#tellSoon = coalesce(options.soon, () => this.#tell());
  }

  /** The node starts to hear others. */
  start(): void {
    const { clock } = this.options;
    this.#until = clock.now() + KNOW_MS;
    this.#stopTimer = clock.after(HEAR_MS, () => this.#heard());
  }

  /** The milliseconds after which this node knows what the others have, at the latest; 0 once it does. */
  get leftMs(): number {
    return this.#until === undefined ? 0 : Math.max(this.#until - this.options.clock.now(), 0);
  }

  /** The node has told of all its agents. */
  introduced({ id }: NodeInfo): void {
    this.#awaited.delete(id);
    this.#check();
  }

  joined({ id }: NodeInfo): void {
    this.#awaited.add(id);
    this.#untold.add(id);
    this.#tellSoon();
  }

  lost({ id }: NodeInfo): void {
    this.#awaited.delete(id);
    this.#untold.delete(id);
    this.#check();
  }

  stop(): void {
    this.#stopTimer();
  }

  #tell(): void {
    for (const id of this.#untold) {
      if (this.options.isTelling(id)) continue;
      this.#untold.delete(id);
      this.options.link.send(id, { kind: "introduced" });
    }
    if (this.#untold.size > 0) this.#tellSoon();
  }

  #heard(): void {
    this.#hasHeard = true;
    this.#stopTimer = this.options.clock.after(KNOW_MS - HEAR_MS, () => this.#end());
    this.#check();
  }

  #check(): void {
    if (this.#hasHeard && this.#awaited.size === 0) this.#end();
  }

  #end(): void {
    if (this.#until === undefined) return;
    this.#until = undefined;
    this.#stopTimer();
    this.options.known();
  }
}
