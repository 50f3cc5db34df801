import { AppError } from "../errors.ts";
import { userIdOf } from "../principal.ts";
import { Agent, type AgentProfile, mayTakeOver } from "./agent.ts";
import { type Ask, type AskRequest, type AskResult, createAsk } from "./ask.ts";
import { type Capacity, Hub, type LeaveReason } from "./hub.ts";
import { Link, type LinkedParts } from "./link.ts";
import { ModelBook, type OfferedModel } from "./models.ts";
import type { RelayOptions } from "./options.ts";
import { Placing, stopWaiting } from "./placing.ts";
import type { AgentLink, Signal, Transport, Work } from "./ports.ts";
import { FairQueue } from "./queue.ts";
import { recordOf } from "./record.ts";
import { Running } from "./running.ts";
import { Watch } from "./watch.ts";

/** An ask is sent to at most this many agents before its caller is told. */
const TRIES_MAX = 3;

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
  readonly #placing: Placing;
  readonly #book = new ModelBook();
  readonly #linked: LinkedParts;
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
      hub: this.#hub,
      onMissed: (agent, reason) => this.#lose(agent, reason, lostError("it answered no ping")),
    });
    this.#running = new Running({
      ...options,
      hub: this.#hub,
      watch: this.#watch,
      settle: (ask, outcome) => this.#settle(ask, outcome),
      retry: (ask, agent, error, repeatable) => this.#retry(ask, agent, error, repeatable),
      freed: (agent) => this.#freed(agent),
      lost: (agent, reason, error) => this.#lose(agent, reason, error),
    });
    this.#placing = new Placing({
      ...options,
      hub: this.#hub,
      queue: this.#queue,
      watch: this.#watch,
      send: (ask, agent) => this.#running.send(ask, agent),
      settle: (ask, error) => this.#settle(ask, error),
    });
    this.#linked = {
      clock: options.clock,
      hub: this.#hub,
      watch: this.#watch,
      running: this.#running,
      placing: this.#placing,
      book: this.#book,
      ignored: () => this.#framesIgnored++,
      lost: (agent, reason) => this.#lose(agent, reason, lostError("the connection was closed")),
    };
  }

  /**
   * Resolves with the answer, or rejects with an `AppError` that says why there is none. Aborting `signal`
   * means that the caller is gone: the ask leaves the queue, or its answer is dropped when it comes.
   */
  ask(request: AskRequest, signal: Signal): Promise<AskResult> {
    if (this.#draining) return Promise.reject(new AppError("draining"));
    if (signal.aborted) return Promise.reject(new AppError("caller_gone"));
    const { promise, resolve, reject } = Promise.withResolvers<AskResult>();
    const ask = createAsk(request, this.#options.clock.now(), resolve, reject);
    const onAbort = () => this.#withdraw(ask, new AppError("caller_gone"));
    signal.addEventListener("abort", onAbort);
    ask.forgetCaller = () => signal.removeEventListener("abort", onAbort);
    this.#open++;
    this.#placing.place(ask);
    return promise;
  }

  /**
   * Registers an agent. An id that is in use passes to a newcomer that may take it over; else there is no
   * link and the one that has it stays.
   */
  join({ slots, models, endpoints, ...profile }: AgentProfile, transport: Transport): AgentLink | undefined {
    const holder = this.#hub.get(profile.id);
    if (holder && !mayTakeOver(profile, holder.profile)) return undefined;
    const agent = new Agent(profile, { slots, models, endpoints }, transport, this.#options.clock.now());
    this.#book.note(models, this.#options.clock.now());
    if (holder) this.#remove(holder, "replaced");
    this.#hub.add(agent);
    this.#watch.start();
    this.#options.observe?.joined(agent);
    if (holder) this.#running.orphan(holder, lostError("its agent connected anew"));
    this.#placing.serve(agent);
    return new Link(this.#linked, agent);
  }

  /**
   * Closes an agent's connection, with `drain` once it has finished the asks that it has; it gets no more.
   * Says what was done; undefined where no agent with this id is connected.
   */
  disconnect(agentId: string, { drain }: { drain: boolean }): "closed" | "draining" | undefined {
    const agent = this.#hub.get(agentId);
    if (!agent) return undefined;
    this.#hub.change(agent, { leaving: true });
    if (drain && agent.inUse.size > 0) return "draining";
    this.#lose(agent, "disconnected", lostError("it was disconnected"));
    return "closed";
  }

  /** Ends all that the user has open with key_unknown: what waits leaves the queue, what runs is cancelled. */
  cancelUser(userId: string): void {
    const running = this.#askedNow().filter(({ principal }) => userIdOf(principal) === userId);
    // Those that wait come first, or they would get the slots of the others.
    for (const ask of [...this.#queue.itemsOf(userId), ...running])
      this.#withdraw(ask, new AppError("key_unknown", { logAs: "key_revoked" }));
  }

  /** The ids of the users who have an ask open, waiting or running. */
  openUsers(): Set<string> {
    return new Set([
      ...this.#queue.userIds(),
      ...this.#askedNow().flatMap(({ principal }) => (principal.kind === "user" ? principal.id : [])),
    ]);
  }

  /** The registered agents, in the order of their registration. */
  agents(): Iterable<Agent> {
    return this.#hub.all();
  }

  /** What the registered agents offer. */
  models(): OfferedModel[] {
    return this.#book.union([...this.#hub.all()].map(({ offer }) => offer.models));
  }

  isConnected(agentId: string): boolean {
    return this.#hub.get(agentId) !== undefined;
  }

  /** Whether a registered agent could do this, busy or not. */
  canDo(work: Work): boolean {
    return this.#hub.some((agent) => agent.canDo(work));
  }

  offersModel(model: string): boolean {
    return this.#hub.some((agent) => agent.hasModel(model));
  }

  /** Whether an agent of the reference's protocol has the model. */
  hasV1Agent(model: string): boolean {
    return this.#hub.some((agent) => agent.isV1 && agent.hasModel(model));
  }

  /** Whether an agent offers this model, or ever did since the server started. */
  knowsModel(model: string): boolean {
    return this.#book.knows(model);
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

  /** Pieces of streamed answers that have come. */
  get deltas(): number {
    return this.#running.deltas;
  }

  /** How long the ask waits that has waited longest; undefined where none does. */
  oldestWaitMs(): number | undefined {
    let oldest: number | undefined;
    for (const { beganAt } of this.#queue.firsts()) oldest = Math.min(beganAt, oldest ?? beganAt);
    return oldest === undefined ? undefined : this.#options.clock.now() - oldest;
  }

  capacity(): Capacity {
    return this.#hub.capacity();
  }

  get isDraining(): boolean {
    return this.#draining;
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

  /** It may have room again, or was only waited for. */
  #freed(agent: Agent): void {
    if (!agent.leaving || agent.inUse.size > 0) this.#placing.serve(agent);
    else this.#lose(agent, "disconnected", lostError("it was disconnected"));
  }

  #lose(agent: Agent, reason: LeaveReason, error: AppError): void {
    if (!this.#remove(agent, reason)) return;
    this.#running.orphan(agent, error);
    this.#placing.lookAgain();
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
    else this.#placing.place(ask);
  }

  /** What is at the agents, and waited for. */
  #askedNow(): Ask[] {
    return [...this.#hub.all()].flatMap(({ inUse }) => [...inUse.values()].flatMap(({ ask }) => ask ?? []));
  }

  /** Nobody waits for it any more. */
  #withdraw(ask: Ask, error: AppError): void {
    const { at } = ask;
    this.#settle(ask, error);
    if (at) this.#running.abandon(at);
  }

  #settle(ask: Ask, outcome: AskResult | AppError): void {
    if (ask.state === "settled") return;
    if (ask.state === "waiting") this.#queue.remove(ask);
    ask.state = "settled";
    ask.at = undefined;
    stopWaiting(ask);
    ask.forgetCaller();
    this.#open--;
    this.#options.observe?.ended(recordOf(ask, outcome, this.#options.clock.now()));
    if (outcome instanceof AppError) ask.reject(outcome);
    else ask.resolve(outcome);
    if (this.#draining && this.#open === 0) this.#drained?.();
  }
}

function lostError(err: string): AppError {
  return new AppError("agent_lost", { extra: { err } });
}
