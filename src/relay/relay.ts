import { AppError } from "../errors.ts";
import { Agent, type AgentProfile } from "./agent.ts";
import { type Ask, type AskRequest, type AskResult, createAsk } from "./ask.ts";
import { chooseFor, eligibleFor, hopeMs, noAgentError } from "./choice.ts";
import { Hub, type LeaveReason } from "./hub.ts";
import type { RelayOptions } from "./options.ts";
import type { AgentLink, Signal, Transport } from "./ports.ts";
import { FairQueue } from "./queue.ts";
import { Running } from "./running.ts";
import { Watch } from "./watch.ts";

/** An ask is sent to at most this many agents before its caller is told. */
const TRIES_MAX = 3;

/** An ask pings the next agent when the one before has not answered for this long. */
const NEXT_PROBE_MS = 1_000;

/**
 * The core: takes asks, keeps those that must wait, gives each to one agent at a time, and ends each with
 * exactly one outcome. It has no threads to race with; every method runs to its end before the next.
 *
 * Invariant: no ask waits while an agent that may serve it has room and was heard lately.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #hub = new Hub();
  readonly #queue = new FairQueue<Ask>();
  readonly #watch: Watch;
  readonly #running: Running;
  #open = 0;
  #framesIgnored = 0;
  #drained: (() => void) | undefined;
  #draining = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#watch = new Watch({
      clock: options.clock,
      pingEveryMs: options.limits.pingEveryMs,
      pongWithinMs: options.limits.pongWithinMs,
      drainWithinMs: options.limits.firstByteMs,
      agents: () => this.#hub.all(),
      onMissed: (agent, reason) => this.#lose(agent, reason, lostError("it answered no ping")),
    });
    this.#running = new Running({
      ...options,
      hub: this.#hub,
      watch: this.#watch,
      settle: (ask, outcome) => this.#settle(ask, outcome),
      retry: (ask, agent, error, repeatable) => this.#retry(ask, agent, error, repeatable),
      freed: (agent) => this.#serve(agent),
      lost: (agent, reason, error) => this.#lose(agent, reason, error),
    });
  }

  /**
   * Resolves with the answer, or rejects with an `AppError` that says why there is none. Aborting `signal`
   * means that the caller is gone: the ask leaves the queue, or its answer is dropped when it comes.
   */
  ask(request: AskRequest, signal: Signal): Promise<AskResult> {
    if (this.#draining) return Promise.reject(new AppError("draining"));
    if (signal.aborted) return Promise.reject(new AppError("caller_gone"));
    const { promise, resolve, reject } = Promise.withResolvers<AskResult>();
    const ask = createAsk(request, resolve, reject);
    const onAbort = () => this.#abandon(ask);
    signal.addEventListener("abort", onAbort);
    ask.forgetCaller = () => signal.removeEventListener("abort", onAbort);
    this.#open++;
    this.#place(ask);
    return promise;
  }

  /**
   * Registers an agent. An id that is in use passes to the newcomer when it comes from the same address or
   * showed a key; else there is no link and the one that has it stays.
   */
  join({ slots, models, endpoints, ...profile }: AgentProfile, transport: Transport): AgentLink | undefined {
    const holder = this.#hub.get(profile.id);
    if (holder && !profile.trusted && holder.profile.address !== profile.address) return undefined;
    const agent = new Agent(profile, { slots, models, endpoints }, transport, this.#options.clock.now());
    if (holder) this.#remove(holder, "replaced");
    this.#hub.add(agent);
    this.#watch.start();
    this.#options.observe?.joined(agent);
    if (holder) this.#running.orphan(holder, lostError("its agent connected anew"));
    this.#serve(agent);
    return this.#link(agent);
  }

  /** The registered agents, in the order of their registration. */
  agents(): Iterable<Agent> {
    return this.#hub.all();
  }

  stats() {
    let slotsInUse = 0;
    for (const agent of this.#hub.all()) slotsInUse += agent.inUse.size;
    return {
      agents: this.#hub.size,
      asks_waiting: this.#queue.size,
      asks_running: this.#open - this.#queue.size,
      slots_in_use: slotsInUse,
      frames_ignored: this.#framesIgnored,
      answers_dropped: this.#running.answersDropped,
    };
  }

  /** Refuses new asks; resolves once every ask that was taken has its outcome. */
  drain(): Promise<void> {
    this.#draining = true;
    if (this.#open === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#drained = resolve;
    return promise;
  }

  /** Ends what is still open with `draining` and closes every agent's socket. */
  close(): void {
    this.#draining = true;
    for (const ask of this.#queue.items()) this.#settle(ask, new AppError("draining"));
    for (const agent of [...this.#hub.all()]) {
      const asks = this.#running.takeAll(agent);
      this.#remove(agent, "server_draining");
      for (const ask of asks) this.#settle(ask, new AppError("draining"));
    }
    this.#watch.stop();
  }

  #link(agent: Agent): AgentLink {
    const running = this.#running;
    return {
      pong: () => {
        if (!this.#hub.has(agent)) return;
        this.#watch.heard(agent);
        this.#serve(agent);
      },
      holds: (slot) => agent.inUse.has(slot),
      accept: (slot) => running.accept(agent, slot),
      delta: (slot, delta) => running.delta(agent, slot, delta),
      done: (slot, answer) => running.done(agent, slot, answer),
      fail: (slot, error, retryable) => running.fail(agent, slot, error, retryable),
      update: (offer) => {
        const { slots, models, endpoints } = agent.offer;
        const changed = {
          slots: offer.slots ?? slots,
          models: offer.models ?? models,
          endpoints: offer.endpoints ?? endpoints,
        };
        this.#hub.change(agent, { offer: changed, paused: false });
        this.#changed(agent);
      },
      pause: () => {
        this.#hub.change(agent, { paused: true });
        this.#changed(agent);
      },
      writable: (isWritable) => {
        const now = this.#options.clock.now();
        this.#hub.change(agent, { congestedAt: isWritable ? undefined : (agent.congestedAt ?? now) });
        this.#serve(agent);
      },
      ignored: () => {
        this.#framesIgnored++;
      },
      gone: () => this.#lose(agent, undefined, lostError("the connection was closed")),
    };
  }

  #place(ask: Ask): void {
    if (this.#trySend(ask)) return;
    const refusal = ask.tries === 0 ? this.#refusal(ask) : undefined;
    if (refusal) {
      this.#settle(ask, refusal);
      return;
    }
    ask.state = "waiting";
    if (ask.tries === 0) this.#queue.push(ask);
    else this.#queue.unshift(ask);
    ask.stopWait = this.#options.clock.after(this.#options.limits.queueWaitMs, () =>
      this.#settle(ask, ask.failure ?? new AppError("no_agent", { hint: "No agent was free in time." })),
    );
    this.#lookAfter(ask);
  }

  #trySend(ask: Ask): boolean {
    const now = this.#options.clock.now();
    const isFresh = (candidate: Agent) => this.#watch.isFresh(candidate);
    const isRested = (candidate: Agent) => candidate.restingUntil <= now && isFresh(candidate);
    const agent = chooseFor(ask, this.#hub, isRested) ?? chooseFor(ask, this.#hub, isFresh);
    if (!agent) return false;
    if (ask.state === "waiting") this.#queue.remove(ask);
    this.#send(ask, agent);
    return true;
  }

  #send(ask: Ask, agent: Agent): void {
    this.#stopWaiting(ask);
    this.#running.send(ask, agent);
  }

  #refusal(ask: Ask): AppError | undefined {
    const { queueMax, queueUserMax } = this.#options.limits;
    if (this.#hopeMs(ask) <= 0) return noAgentError(ask, this.#hub);
    if (this.#queue.sizeOf(ask.user) >= queueUserMax) return new AppError("user_queue_full");
    if (this.#queue.size >= queueMax) return new AppError("queue_full");
    return undefined;
  }

  #hopeMs(ask: Ask): number {
    const { clock, limits } = this.#options;
    return hopeMs(ask, this.#hub, limits.reconnectGraceMs, clock.now());
  }

  /** For an ask that waits, at first and whenever an agent left: is there hope, and is there one to wake? */
  #lookAfter(ask: Ask): void {
    if (ask.state !== "waiting" || this.#trySend(ask)) return;
    const hope = this.#hopeMs(ask);
    if (hope <= 0) {
      this.#settle(ask, noAgentError(ask, this.#hub));
      return;
    }
    const asleep = chooseFor(ask, this.#hub, (agent) => !this.#watch.isProbing(agent));
    if (asleep) this.#watch.probe(asleep);
    else if (hope === Number.POSITIVE_INFINITY) return;
    ask.stopLook ??= this.#options.clock.after(asleep ? NEXT_PROBE_MS : hope, () => {
      ask.stopLook = undefined;
      this.#lookAfter(ask);
    });
  }

  /** Gives the agent what waits for it. One not heard lately must answer a ping before it gets more. */
  #serve(agent: Agent): void {
    while (this.#hub.has(agent) && agent.hasRoom && this.#queue.size > 0) {
      const fits = (ask: Ask) => eligibleFor(ask, this.#hub)(agent);
      if (!this.#watch.isFresh(agent)) {
        if (this.#queue.items().some(fits)) this.#watch.probe(agent);
        return;
      }
      const ask = this.#queue.take(fits);
      if (!ask) return;
      this.#send(ask, agent);
    }
  }

  /** What it offers has changed: some asks may go to it now, and some may have lost their last hope. */
  #changed(agent: Agent): void {
    this.#serve(agent);
    for (const ask of this.#queue.items()) this.#lookAfter(ask);
  }

  #lose(agent: Agent, reason: LeaveReason, error: AppError): void {
    if (!this.#remove(agent, reason)) return;
    this.#running.orphan(agent, error);
    for (const ask of this.#queue.items()) this.#lookAfter(ask);
  }

  /** False when it was not here (any more). */
  #remove(agent: Agent, reason: LeaveReason): boolean {
    const { clock, limits, observe } = this.#options;
    const now = clock.now();
    if (!this.#hub.remove(agent, reason, now)) return false;
    this.#hub.forgetDepartures(now - limits.reconnectGraceMs);
    this.#watch.forget(agent);
    if (this.#hub.size === 0) this.#watch.stop();
    if (reason) agent.transport.close(reason);
    observe?.left(agent, reason);
    return true;
  }

  /** A follow-up is never sent twice: its only agent may have taken the words into the conversation. */
  #retry(ask: Ask, agent: Agent, error: AppError, repeatable: boolean): void {
    ask.at = undefined;
    ask.tried.add(agent.id);
    ask.failure = error;
    ask.repeatable = repeatable;
    if (ask.request.pin !== undefined || ask.tries >= TRIES_MAX) this.#settle(ask, error);
    else this.#place(ask);
  }

  #abandon(ask: Ask): void {
    const { at } = ask;
    this.#settle(ask, new AppError("caller_gone"));
    if (at) this.#running.abandon(at);
  }

  #stopWaiting(ask: Ask): void {
    ask.stopWait?.();
    ask.stopLook?.();
    ask.stopWait = undefined;
    ask.stopLook = undefined;
  }

  #settle(ask: Ask, outcome: AskResult | AppError): void {
    if (ask.state === "settled") return;
    if (ask.state === "waiting") this.#queue.remove(ask);
    ask.state = "settled";
    ask.at = undefined;
    this.#stopWaiting(ask);
    ask.forgetCaller();
    this.#open--;
    if (outcome instanceof AppError) ask.reject(outcome);
    else ask.resolve(outcome);
    if (this.#draining && this.#open === 0) this.#drained?.();
  }
}

function lostError(err: string): AppError {
  return new AppError("agent_lost", { extra: { err } });
}
