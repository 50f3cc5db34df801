import { BoundedMap } from "../../src/bounded-map.ts";
import type { AgentGroup } from "./pool.ts";

/** The work of one ask. */
export interface Job {
  model: string;
  /** The conversation, and the tokens of its earlier turns. */
  conversation: number;
  earlierTokens: number;
  inputTokens: number;
  outputTokens: number;
  /** Called with the times until the first token and until the last one. */
  begin: (firstMs: number, allMs: number, isCached: boolean) => void;
}

interface LoadedModel {
  model: string;
  readyAt: number;
  usedAt: number;
  running: number;
  /** The conversations of the model that are in the cache. */
  cache: BoundedMap<number, true>;
}

/**
 * Runs the models of one agent. A job whose model is not in memory waits until a model that has no jobs can be
 * dropped for it, and later jobs wait behind it, as in Ollama. Jobs do not slow each other down: `slots` is
 * how many the machine can do at full speed.
 */
export class Machine {
  readonly #loaded: LoadedModel[] = [];
  readonly #waiting: Job[] = [];
  /** How often a model was loaded, and how often another one was dropped for it. */
  loads = 0;
  swaps = 0;
  /** Multiplies all times. */
  slowness = 1;

  constructor(
    private readonly group: AgentGroup,
    private readonly now: () => number,
    private readonly onLoaded: () => void,
  ) {}

  isLoaded(model: string): boolean {
    return this.#loaded.some((loaded) => loaded.model === model);
  }

  start(job: Job): void {
    if (this.#waiting.length > 0 || !this.#begin(job)) this.#waiting.push(job);
  }

  /** The job has ended, or is not wanted any more. */
  end(job: Job): void {
    const index = this.#waiting.indexOf(job);
    if (index >= 0) this.#waiting.splice(index, 1);
    else this.#finish(job);
    while (this.#waiting[0] && this.#begin(this.#waiting[0])) this.#waiting.shift();
  }

  #finish({ model, conversation }: Job): void {
    const loaded = this.#loaded.find((one) => one.model === model);
    if (!loaded) return;
    loaded.running--;
    if (this.group.cachedConversations > 0) loaded.cache.set(conversation, true);
  }

  /** Returns false if no room in memory can be made for its model now. */
  #begin(job: Job): boolean {
    const now = this.now();
    const loaded = this.#loaded.find(({ model }) => model === job.model) ?? this.#load(job.model);
    if (!loaded) return false;
    loaded.running++;
    loaded.usedAt = now;
    const isCached = loaded.cache.has(job.conversation);
    const tokensToRead = job.inputTokens + (isCached ? 0 : job.earlierTokens);
    const { firstMs, inputTokensPerSecond, outputTokensPerSecond } = this.group;
    const readMs = firstMs + (tokensToRead / inputTokensPerSecond) * 1000;
    const writeMs = (job.outputTokens / outputTokensPerSecond) * 1000;
    const first = Math.max(loaded.readyAt - now, 0) + readMs * this.slowness;
    job.begin(first, first + writeMs * this.slowness, isCached);
    return true;
  }

  #load(model: string): LoadedModel | undefined {
    const { modelsInMemory = Number.POSITIVE_INFINITY, loadMs, cachedConversations } = this.group;
    if (this.#loaded.length >= modelsInMemory && !this.#dropOne()) return undefined;
    const now = this.now();
    const cache = new BoundedMap<number, true>(cachedConversations);
    const loaded: LoadedModel = { model, readyAt: now + loadMs, usedAt: now, running: 0, cache };
    this.#loaded.push(loaded);
    this.loads++;
    this.onLoaded();
    return loaded;
  }

  #dropOne(): boolean {
    let oldest: LoadedModel | undefined;
    for (const one of this.#loaded)
      if (one.running === 0 && one.usedAt < (oldest?.usedAt ?? Number.POSITIVE_INFINITY)) oldest = one;
    if (!oldest) return false;
    this.#loaded.splice(this.#loaded.indexOf(oldest), 1);
    this.swaps++;
    return true;
  }
}
