import { AppError } from "../errors.ts";
import type { Agent } from "./agent.ts";
import type { Ask } from "./ask.ts";
import { chooseAsleepFor, chooseFor, eligibleFor, hopeMs, noAgentError } from "./choice.ts";
import type { Hub } from "./hub.ts";
import type { RelayOptions } from "./options.ts";
import type { FairQueue } from "./queue.ts";
import type { Watch } from "./watch.ts";

interface PlacingOptions extends RelayOptions {
  hub: Hub;
  queue: FairQueue<Ask>;
  watch: Watch;
  send(ask: Ask, agent: Agent): void;
  settle(ask: Ask, error: AppError): void;
}

/** An ask pings the next agent when the one before has not answered for this long. */
const NEXT_PROBE_MS = 1_000;

/** Brings asks and agents together: at once, or by way of the queue. */
export class Placing {
  readonly #options: PlacingOptions;

  constructor(options: PlacingOptions) {
    this.#options = options;
  }

  place(ask: Ask): void {
    if (this.#trySend(ask)) return;
    const refusal = ask.tries === 0 ? this.#refusal(ask) : undefined;
    if (refusal) {
      this.#options.settle(ask, refusal);
      return;
    }
    ask.state = "waiting";
    if (ask.tries === 0) this.#options.queue.push(ask);
    else this.#options.queue.unshift(ask);
    ask.stopWait = this.#options.clock.after(this.#options.limits.queueWaitMs, () =>
      this.#options.settle(ask, ask.failure ?? new AppError("no_agent")),
    );
    this.#lookAfter(ask);
  }

  #trySend(ask: Ask): boolean {
    const now = this.#options.clock.now();
    const isFresh = (candidate: Agent) => this.#isFresh(candidate);
    const isRested = (candidate: Agent) => candidate.restingUntil <= now && isFresh(candidate);
    const agent = chooseFor(ask, this.#options.hub, isRested) ?? chooseFor(ask, this.#options.hub, isFresh);
    if (!agent) return false;
    if (ask.state === "waiting") this.#options.queue.remove(ask);
    this.#send(ask, agent);
    return true;
  }

  /** One that is not goes out of the way of the asks to come. */
  #isFresh(agent: Agent): boolean {
    if (this.#options.watch.isFresh(agent)) return true;
    this.#options.hub.fellAsleep(agent);
    return false;
  }

  #send(ask: Ask, agent: Agent): void {
    stopWaiting(ask);
    this.#options.send(ask, agent);
  }

  #refusal(ask: Ask): AppError | undefined {
    const { queueMax, queueUserMax } = this.#options.limits;
    if (this.#hopeMs(ask) <= 0) return noAgentError(ask, this.#options.hub);
    if (this.#options.queue.sizeOf(ask.principal) >= queueUserMax) return new AppError("user_queue_full");
    if (this.#options.queue.size >= queueMax) return new AppError("queue_full");
    return undefined;
  }

  #hopeMs(ask: Ask): number {
    const { clock, limits } = this.#options;
    return hopeMs(ask, this.#options.hub, limits.reconnectGraceMs, clock.now());
  }

  /** For an ask that waits, at first and whenever an agent left: is there hope, and is there one to wake? */
  #lookAfter(ask: Ask): void {
    if (ask.state !== "waiting" || this.#trySend(ask)) return;
    const hope = this.#hopeMs(ask);
    if (hope <= 0) {
      this.#options.settle(ask, noAgentError(ask, this.#options.hub));
      return;
    }
    const asleep = chooseAsleepFor(ask, this.#options.hub, (agent) => !this.#options.watch.isProbing(agent));
    if (asleep) this.#options.watch.probe(asleep);
    else if (hope === Number.POSITIVE_INFINITY) return;
    ask.stopLook ??= this.#options.clock.after(asleep ? NEXT_PROBE_MS : hope, () => {
      ask.stopLook = undefined;
      this.#lookAfter(ask);
    });
  }

  /** Gives the agent what waits for it. One not heard lately must answer a ping before it gets more. */
  serve(agent: Agent): void {
    while (this.#options.hub.has(agent) && agent.hasRoom && this.#options.queue.size > 0) {
      const fits = (ask: Ask) => eligibleFor(ask, this.#options.hub)(agent);
      if (!this.#options.watch.isFresh(agent)) {
        if (this.#options.queue.items().some(fits)) this.#options.watch.probe(agent);
        return;
      }
      const ask = this.#options.queue.take(fits);
      if (!ask) return;
      this.#send(ask, agent);
    }
  }

  /** What it offers has changed: some asks may go to it now, and some may have lost their last hope. */
  changed(agent: Agent): void {
    this.serve(agent);
    this.lookAgain();
  }

  /** An agent has left: some asks may go elsewhere now, and some may have lost their last hope. */
  lookAgain(): void {
    for (const ask of this.#options.queue.items()) this.#lookAfter(ask);
  }
}

export function stopWaiting(ask: Ask): void {
  ask.stopWait?.();
  ask.stopLook?.();
  ask.stopWait = undefined;
  ask.stopLook = undefined;
}
