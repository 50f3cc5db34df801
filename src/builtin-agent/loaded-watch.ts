import type { Cancel, Clock } from "../clock.ts";
import { parseJson } from "../json/parse.ts";
import type { Model } from "../protocol/agent-v2.ts";

interface LoadedWatchOptions {
  clock: Clock;
  /** Whether the upstream tells which models it has in memory. */
  tellsLoaded: () => boolean;
  /** Returns the models of the upstream, with what was last known. */
  models: () => readonly Model[];
  /** Whether asks are running. */
  isBusy: () => boolean;
  /** Asks the upstream which models it has in memory. Never rejects. */
  look: () => Promise<void>;
}

/** How often to look while asks run, and for how long after the last one. Later the checks of the offer do. */
const LOOK_EVERY_MS = 10_000;
const LATELY_MS = 60_000;
/** How long after an ask that makes the upstream load another model. It is also the shortest pause. */
const LOOK_SOON_MS = 1_000;

/** Decides when to look which models the upstream has in memory, as asks make it load and unload models. */
export class LoadedWatch {
  #busyAt = Number.NEGATIVE_INFINITY;
  #dueAt = Number.POSITIVE_INFINITY;
  #cancel: Cancel = () => {};
  #isLooking = false;
  #isStopped = false;

  constructor(private readonly options: LoadedWatchOptions) {}

  /** An ask with this body begins, its answer begins, or it has ended. */
  note(body: string): void {
    const { clock, tellsLoaded } = this.options;
    if (this.#isStopped || !tellsLoaded()) return;
    this.#busyAt = clock.now();
    this.#schedule(this.#isNotLoaded(body) ? LOOK_SOON_MS : LOOK_EVERY_MS);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  /** Whether the ask is for a model that is not in memory. */
  #isNotLoaded(body: string): boolean {
    const idle = this.options.models().filter(({ loaded }) => loaded === false);
    if (idle.length === 0) return false;
    const asked = modelIn(body);
    return idle.some(({ id }) => id === asked);
  }

  #schedule(delayMs: number): void {
    const { clock } = this.options;
    const dueAt = clock.now() + delayMs;
    if (dueAt >= this.#dueAt) return;
    this.#cancel();
    this.#dueAt = dueAt;
    this.#cancel = clock.after(delayMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { clock, isBusy, look } = this.options;
    this.#dueAt = Number.POSITIVE_INFINITY;
    if (this.#isLooking) return this.#schedule(LOOK_SOON_MS);
    this.#isLooking = true;
    await look();
    this.#isLooking = false;
    if (this.#isStopped) return;
    if (isBusy() || clock.now() - this.#busyAt < LATELY_MS) this.#schedule(LOOK_EVERY_MS);
  }
}

const KEY = '"model"';
const VALUE = /\s{0,100}:\s{0,100}("(?:[^"\\]|\\.){1,512}")/y;
const KEYS_MAX = 20;

/**
 * Returns the model in the body of a request. A wrong guess, such as a field of that name further inside, does no
 * harm. Bodies may be megabytes long, so they are searched and not parsed: `indexOf` is much faster than a pattern.
 */
function modelIn(body: string): string | undefined {
  let at = body.indexOf(KEY);
  for (let keys = 0; at >= 0 && keys < KEYS_MAX; keys++) {
    VALUE.lastIndex = at + KEY.length;
    const [, json] = VALUE.exec(body) ?? [];
    const model = json === undefined ? undefined : parseJson(json);
    if (typeof model === "string") return model;
    at = body.indexOf(KEY, at + 1);
  }
  return undefined;
}
