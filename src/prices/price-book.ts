import { BoundedMap } from "../bounded-map.ts";
import { HOUR_MS, MINUTE_MS } from "../durations.ts";
import type { MediaUsage } from "../protocol/bytes/media-usage.ts";
import { otherName } from "../protocol/model-name.ts";
import { microsOf, NANOS_PER_MICRO } from "./money.ts";
import { type ModelPrice, NO_PRICES, type PriceList } from "./price-list.ts";

/** The prices of one model, in micros: for 1 M tokens, for an hour, for a minute of audio, or for an image. */
interface Rates {
  input: number;
  output: number;
  cachedInput: number;
  cacheWrite: number;
  hour: number;
  audioMinute: number;
  image: number;
}

/** The figures of a request that ended, which its price depends on. */
export interface PricedWork {
  model: string | undefined;
  /** The agent that had it; undefined if none did, and it cost nothing. */
  agent: string | undefined;
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  /** Parts of the input tokens. */
  cachedTokens?: number | undefined;
  cacheCreationTokens?: number | undefined;
  /** From its arrival until it was sent to this agent, and until it ended. */
  queueMs: number;
  durationMs: number;
  media?: MediaUsage | undefined;
}

/** The names of models that are remembered with their prices. Callers choose names. */
const FOUND_MAX = 10_000;
/** A request to a model with a price by the hour, by audio or by images reserves so much of a budget. Few use more. */
const RESERVED = { busyMs: MINUTE_MS, audioMs: MINUTE_MS, images: 1 };

type Aliases = Readonly<Record<string, string>>;
type Fallbacks = Readonly<Record<string, readonly string[]>>;

/**
 * The prices in force. A price is found by the model's own name, by an alias of it, by its other name of Ollama's rule,
 * and then by the longest beginning of its name that has one.
 */
export class PriceBook {
  /** Undefined if no model has a price. */
  #list: PriceList | undefined;
  #exact = new Map<string, Rates>();
  /** The beginnings of names, longest first. */
  #beginnings: { start: string; rates: Rates }[] = [];
  #found = new BoundedMap<string, Rates | null>(FOUND_MAX);
  #aliases: Aliases = {};
  #fallbacks: Fallbacks = {};

  constructor(list: PriceList = NO_PRICES, aliases: Aliases = {}) {
    this.#aliases = aliases;
    this.replace(list);
  }

  /** The currency of all amounts, by its code of ISO 4217; null if no model has a price. */
  get currency(): string | null {
    return this.#list?.currency ?? null;
  }

  /** Replaces all prices, for requests that end from now on. */
  replace(list: PriceList): void {
    const all = Object.entries(list.models).map(([name, price]) => ({ name, rates: ratesOf(price) }));
    this.#list = all.length > 0 ? list : undefined;
    this.#exact = new Map(all.map(({ name, rates }) => [name, rates]));
    this.#beginnings = all
      .filter(({ name }) => name.endsWith("*"))
      .map(({ name, rates }) => ({ start: name.slice(0, -1), rates }))
      .sort((a, b) => b.start.length - a.start.length);
    this.#found.clear();
  }

  /** Replaces the aliases: the name for callers, and the name of the model. */
  useAliases(aliases: Aliases): void {
    this.#aliases = aliases;
    this.#found.clear();
  }

  /** Replaces the models that may answer for others, by the names of those. */
  useFallbacks(fallbacks: Fallbacks): void {
    this.#fallbacks = fallbacks;
  }

  /** Returns what the work cost, in nanos; null if its model has no price. */
  costNanosOf(work: PricedWork): number | null {
    if (this.#list === undefined) return null;
    if (work.agent === undefined) return 0;
    const rates = work.model === undefined ? undefined : this.#ratesOf(work.model);
    if (!rates) return null;
    const { inputTokens = 0, outputTokens = 0, cachedTokens = 0, cacheCreationTokens = 0 } = work;
    // The parts may be those of a broken upstream, and together more than the whole.
    const cached = Math.min(cachedTokens, inputTokens);
    const written = Math.min(cacheCreationTokens, inputTokens - cached);
    const plain = inputTokens - cached - written;
    const { audioMs = 0, images = 0 } = work.media ?? {};
    const busyMs = work.durationMs - work.queueMs;
    return costNanos(rates, { plain, cached, written, outputTokens, busyMs, audioMs, images });
  }

  /**
   * Returns what a request with so many tokens is expected to cost at most, in nanos, whichever of these models or of
   * their fallbacks answers it; 0 if there is no price.
   */
  estimateNanos(models: readonly string[], inputTokens: number, outputTokens: number): number {
    if (this.#list === undefined) return 0;
    const work = { plain: inputTokens, cached: 0, written: 0, outputTokens, ...RESERVED };
    let most = 0;
    for (const model of models)
      for (const name of [model, ...this.#fallbacksOf(model)]) {
        const rates = this.#ratesOf(name);
        if (rates) most = Math.max(most, costNanos(rates, work));
      }
    return most;
  }

  #fallbacksOf(name: string): readonly string[] {
    const model = Object.hasOwn(this.#aliases, name) ? this.#aliases[name] : undefined;
    const own = [name, model, otherName(model ?? name)].find(
      (each) => each !== undefined && Object.hasOwn(this.#fallbacks, each),
    );
    return (own !== undefined && this.#fallbacks[own]) || [];
  }

  #ratesOf(model: string): Rates | undefined {
    const known = this.#found.get(model);
    if (known !== undefined) return known ?? undefined;
    const rates = this.#find(model);
    this.#found.set(model, rates ?? null);
    return rates;
  }

  #find(model: string): Rates | undefined {
    const names = [...this.#namesOf(model)];
    const exact = names.map((name) => this.#exact.get(name)).find((rates) => rates !== undefined);
    if (exact) return exact;
    return names
      .map((name) => this.#beginnings.find(({ start }) => name.startsWith(start))?.rates)
      .find((rates) => rates !== undefined);
  }

  /** Returns the names by which a price may be given: the model's own first. */
  #namesOf(name: string): Set<string> {
    const names = new Set<string>();
    const add = (one: string | undefined) => {
      if (one !== undefined) names.add(one);
    };
    const target = Object.hasOwn(this.#aliases, name) ? this.#aliases[name] : undefined;
    for (const own of [name, target]) {
      add(own);
      add(own === undefined ? undefined : otherName(own));
    }
    for (const [alias, model] of Object.entries(this.#aliases)) if (names.has(model)) add(alias);
    return names;
  }
}

function ratesOf(price: ModelPrice): Rates {
  const { input = 0, output = 0, cached_input, cache_write } = price;
  const { hour = 0, audio_minute = 0, image = 0 } = price;
  return {
    input: microsOf(input),
    output: microsOf(output),
    cachedInput: microsOf(cached_input ?? input),
    cacheWrite: microsOf(cache_write ?? input),
    hour: microsOf(hour),
    audioMinute: microsOf(audio_minute),
    image: microsOf(image),
  };
}

interface Work {
  plain: number;
  cached: number;
  written: number;
  outputTokens: number;
  busyMs: number;
  audioMs: number;
  images: number;
}

/** A micro for 1 M tokens is a thousandth of a nano for one. Tokens, time and audio are rounded once each, to the nearest. */
function costNanos(rates: Rates, work: Work): number {
  const { plain, cached, written, outputTokens, busyMs, audioMs, images } = work;
  const thousandths =
    plain * rates.input +
    cached * rates.cachedInput +
    written * rates.cacheWrite +
    outputTokens * rates.output;
  const ofTokens = Number.isSafeInteger(thousandths)
    ? Math.round(thousandths / 1000)
    : exactly(
        [plain, rates.input],
        [cached, rates.cachedInput],
        [written, rates.cacheWrite],
        [outputTokens, rates.output],
      );
  return bounded(
    ofTokens +
      ofTime(busyMs, rates.hour, HOUR_MS) +
      ofTime(audioMs, rates.audioMinute, MINUTE_MS) +
      images * rates.image * NANOS_PER_MICRO,
  );
}

/** Returns what a time costs in nanos, with the price of a longer one in micros. */
function ofTime(timeMs: number, rate: number, perMs: number): number {
  if (rate === 0) return 0;
  const ms = Math.max(0, Math.round(timeMs));
  const product = ms * rate;
  const perNano = perMs / NANOS_PER_MICRO;
  return Number.isSafeInteger(product)
    ? Math.round(product / perNano)
    : Number((BigInt(ms) * BigInt(rate) + BigInt(perNano) / 2n) / BigInt(perNano));
}

/** Returns the thousandth of the sum of products that are too large for a double. */
function exactly(...products: [count: number, rate: number][]): number {
  const sum = products.reduce((total, [count, rate]) => total + BigInt(count) * BigInt(rate), 0n);
  return Number((sum + 500n) / 1000n);
}

/** The stores keep whole numbers up to this one. */
const bounded = (nanos: number) => Math.min(nanos, Number.MAX_SAFE_INTEGER);
