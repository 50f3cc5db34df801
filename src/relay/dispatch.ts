import { AppError } from "../errors.ts";
import { type Agent, lostError, timeoutError, tooLongError } from "./agent.ts";
import { Ask } from "./ask.ts";
import { chooseFor, chooseStaleFor, eligibleFor, hopeMs, noAgentError, whyRefuse } from "./choice.ts";
import { coalesce } from "./coalesce.ts";
import { Circuits } from "./health/circuits.ts";
import { Hub } from "./hub.ts";
import { OpenAsks } from "./open-asks.ts";
import { FairQueue } from "./queue.ts";
import { Slot, slotLimits } from "./slot.ts";
import type { Answer, AskRequest, AskResult, Delta, LeaveReason, RelayOptions, Signal } from "./types.ts";
import { Watch } from "./watch.ts";

/** An ask pings the next stale agent when the one before has not answered for this long. */
const NEXT_PING_MS = 1_000;

/**
 * Brings asks and agents together: gives each ask to one agent at a time, at once or by way of the queue, and
 * follows it until its one outcome. There are no races: every method runs to its end before the next.
 *
 * Invariant: no ask waits while an agent that may serve it has room and was heard lately: see `choice.ts`.
 */
export abstract class Dispatch {
  protected readonly hub = new Hub();
  protected readonly queue = new FairQueue<Ask>();
  protected readonly open: OpenAsks;
  protected readonly circuits: Circuits;
  /** How many answers came for callers who had gone. */
  protected answersDropped = 0;
  /** How many deltas have come. */
  deltas = 0;
  protected readonly watch: Watch;
  readonly #lookAgain: () => void;

  constructor(protected readonly options: RelayOptions) {
    const onMissed = (agent: Agent, reason: LeaveReason) =>
      this.lose(agent, reason, lostError("it answered no ping"));
    this.watch = new Watch(options, this.hub, onMissed);
    this.open = new OpenAsks(options, this.queue, this.hub);
    this.circuits = new Circuits({
      ...options,
      onDue: (agent) => {
        this.watch.refresh(agent);
        this.serve(agent);
      },
      onBlocked: () => this.queue.size > 0 && this.#lookAgain(),
    });
    this.#lookAgain = coalesce(options.soon ?? ((run) => run()), () => {
      for (const ask of this.queue.items()) this.#lookAfter(ask);
    });
  }

  /** Takes an ask until it has an outcome; see `Relay.ask`. */
  protected take(request: AskRequest, signal: Signal): Promise<AskResult> {
    const ask = new Ask(request, this.#now());
    ask.listen(signal, () => this.withdraw(ask, new AppError("caller_gone")));
    this.open.add();
    this.#place(ask);
    return ask.result;
  }

  /** Ends an ask whose answer nobody wants. Its slot is free at once, unless its agent cannot cancel it. */
  protected withdraw(ask: Ask, error: AppError): void {
    const { place } = ask;
    this.open.settle(ask, error);
    const agent = place && this.hub.agents.get(place.agentId);
    const slot = place && agent?.inUse.get(place.slotId);
    if (!agent || !slot) return;
    slot.ask = undefined;
    if (!agent.isV1) this.#cancel(agent, place.slotId);
  }

  /** Ends every ask with `draining` and closes every agent's connection. */
  protected endAll(): void {
    for (const ask of this.open.all()) this.open.settle(ask, new AppError("draining"));
    for (const agent of [...this.hub.agents.values()]) {
      this.hub.releaseAll(agent);
      this.#remove(agent, "server_draining");
    }
    this.watch.stop();
  }

  /** Registers the agent, in the place of the holder of its id if there is one. */
  protected register(agent: Agent, holder: Agent | undefined): void {
    if (holder) this.#remove(holder, "replaced");
    const earlier = this.hub.add(agent);
    if (earlier) this.circuits.inherit(agent, earlier);
    this.watch.start();
    this.options.observe?.joined(agent.profile);
    if (holder) this.#orphan(holder, lostError("its agent connected anew"));
    this.serve(agent);
  }

  /** The agent has left, or must go for the given reason: its asks move on, or fail with the error. */
  protected lose(agent: Agent, reason: LeaveReason, error: AppError): void {
    if (!this.hub.has(agent)) return;
    if (reason !== "disconnected") this.circuits.lost(agent, error);
    this.#remove(agent, reason);
    this.#orphan(agent, error);
    this.#lookAgain();
  }

  /** The agent answered the last ping. */
  pong(agent: Agent): void {
    if (!this.hub.has(agent)) return;
    this.watch.heard(agent);
    this.serve(agent);
  }

  /** The agent's offer has changed: some asks may go to it now, and some may have lost their last hope. */
  protected changed(agent: Agent): void {
    this.serve(agent);
    this.#lookAgain();
  }

  /** Sends the agent asks that wait, as long as it has room. A stale one must answer a ping first. */
  protected serve(agent: Agent): void {
    if (this.queue.size === 0) return;
    const fits = (ask: Ask) => eligibleFor(ask, this.hub, this.#now())(agent);
    while (this.hub.has(agent) && agent.hasRoom && this.queue.size > 0) {
      if (!agent.isFresh(this.#now())) {
        if (this.queue.items().some(fits)) this.watch.ping(agent);
        return;
      }
      const ask = this.queue.take(fits);
      if (!ask) return;
      this.#send(ask, agent);
    }
  }

  /** The work has begun: from here on no other agent gets it. */
  accept(agent: Agent, slotId: string): void {
    const slot = agent.inUse.get(slotId);
    if (!slot) return;
    this.hub.heard(agent, this.#now());
    slot.accept();
  }

  delta(agent: Agent, slotId: string, delta: Delta): void {
    const slot = agent.inUse.get(slotId);
    if (!slot) return;
    const { clock, limits } = this.options;
    const now = clock.now();
    this.deltas++;
    this.hub.heard(agent, now);
    slot.heard(now);
    if (slot.ask?.isTooLongWith(delta, limits.frameBytesMax)) {
      this.withdraw(slot.ask, tooLongError());
      return;
    }
    const isComplete = slot.ask?.delta(delta, slot.request, now) ?? false;
    // The caller may have left because of the delta. Then the slot is free.
    if (!slot.ask) return;
    slot.passedOn(clock, isComplete, limits.betweenDeltasMs);
    if (slot.probeOf) this.circuits.begun(agent, slot);
  }

  done(agent: Agent, slotId: string, answer: Answer): void {
    const slot = this.hub.release(agent, slotId);
    if (!slot) return;
    this.watch.heard(agent);
    agent.heartbeatAt = this.#now();
    this.circuits.answered(agent, slot, answer);
    if (slot.ask) this.open.settle(slot.ask, slot.resultOf(agent.id, answer));
    else this.answersDropped++;
    this.#freed(agent);
  }

  /** The agent could not do the work. Before the first delta, another agent may, if `retryable`. */
  fail(agent: Agent, slotId: string, error: AppError, retryable: boolean): void {
    const slot = this.hub.release(agent, slotId);
    if (!slot) return;
    this.watch.heard(agent);
    this.circuits.failed(agent, slot, error, retryable);
    this.#failed(slot.ask, error, retryable && slot.phase !== "started" ? "elsewhere" : "nowhere");
    this.#freed(agent);
  }

  #now(): number {
    return this.options.clock.now();
  }

  /** Sends the ask to an agent, lets it wait, or refuses it. */
  #place(ask: Ask): void {
    if (this.#trySend(ask)) return;
    const { limits, clock } = this.options;
    const refusal = ask.isUntried && whyRefuse(ask, this.hub, this.queue, this.options);
    if (refusal) {
      this.open.settle(ask, refusal);
      return;
    }
    if (ask.isUntried) this.queue.push(ask);
    else this.queue.unshift(ask);
    const giveUp = () => this.open.settle(ask, ask.failure ?? new AppError("no_agent"));
    ask.wait(clock, limits.queueWaitMs, giveUp);
    this.#lookAfter(ask);
  }

  #trySend(ask: Ask): boolean {
    const agent = chooseFor(ask, this.hub, this.#now());
    if (!agent) return false;
    if (ask.isWaiting) this.queue.remove(ask);
    this.#send(ask, agent);
    return true;
  }

  /**
   * Sends a waiting ask if that is possible now, else pings a stale agent for it, or ends it without hope.
   * Called when the ask begins to wait, and whenever an agent leaves or changes.
   */
  #lookAfter(ask: Ask): void {
    if (!ask.isWaiting || this.#trySend(ask)) return;
    const hope = hopeMs(ask, this.hub, this.options);
    if (hope <= 0) {
      this.open.settle(ask, noAgentError(ask, this.hub, this.#now()));
      return;
    }
    const stale = chooseStaleFor(ask, this.hub, this.#now(), (agent) => !this.watch.awaitsPong(agent));
    if (stale) this.watch.ping(stale);
    else if (hope === Number.POSITIVE_INFINITY) return;
    ask.lookLater(this.options.clock, stale ? NEXT_PING_MS : hope, () => this.#lookAfter(ask));
  }

  #send(ask: Ask, agent: Agent): void {
    const { clock, newId } = this.options;
    const { work, origin } = ask.request;
    const slotId = newId();
    const modelRequest = agent.requestFor(work);
    const request = modelRequest ?? work.v1;
    if (!request) throw new Error("an agent was chosen that cannot do the work");
    const model = agent.modelFor(work);
    const limits = slotLimits(modelRequest, this.options.limits);
    const now = clock.now();
    ask.send(agent.profile, slotId, { request, model }, now);
    agent.sentAt = now;
    const slot = new Slot(ask, modelRequest, model, () => this.#limitReached(agent, slotId));
    slot.limit(clock, limits);
    this.hub.occupy(agent, slotId, slot);
    const deadlineMs = limits.silenceMs;
    this.circuits.sent(agent, slot);
    if (!agent.transport.send({ kind: "ask", slot: slotId, request, model, deadlineMs, origin }))
      this.lose(agent, "frames_dropped", new AppError("agent_send_failed"));
  }

  #limitReached(agent: Agent, slotId: string): void {
    const slot = this.hub.release(agent, slotId);
    if (!slot) return;
    // A v1 agent cannot cancel an ask, and may still work on it.
    if (agent.isV1) agent.mustAnswerPing = true;
    else this.#cancel(agent, slotId);
    const answer = slot.ask?.wholeStream;
    const retry = slot.phase === "sent" && !agent.isV1 ? "elsewhere" : "nowhere";
    if (answer) this.circuits.answered(agent, slot, answer);
    else this.circuits.timedOut(agent, slot);
    if (slot.ask && answer) this.open.settle(slot.ask, slot.resultOf(agent.id, answer));
    else this.#failed(slot.ask, timeoutError(), retry);
    this.#freed(agent);
  }

  #cancel(agent: Agent, slotId: string): void {
    this.hub.release(agent, slotId);
    if (agent.transport.send({ kind: "cancel", slot: slotId })) this.#freed(agent);
    else this.lose(agent, "frames_dropped", new AppError("agent_send_failed"));
  }

  /** A slot of the agent is free: it may have room again, or have finished its last ask before it must go. */
  #freed(agent: Agent): void {
    if (!agent.leaving || agent.inUse.size > 0) this.serve(agent);
    else this.lose(agent, "disconnected", lostError("it was disconnected"));
  }

  /** Returns false if the agent was not connected, or no longer. */
  #remove(agent: Agent, reason: LeaveReason): boolean {
    const now = this.#now();
    if (!this.hub.remove(agent, reason, now)) return false;
    this.hub.forgetDepartures(now - this.options.limits.reconnectGraceMs);
    this.watch.forget(agent);
    this.circuits.stop(agent);
    if (this.hub.agents.size === 0) this.watch.stop();
    if (reason) agent.transport.close(reason);
    this.options.observe?.left(agent.profile, reason);
    return true;
  }

  /** The agent has left: another one may do what it had not begun; the rest has failed. */
  #orphan(agent: Agent, error: AppError): void {
    for (const { ask, phase } of this.hub.releaseAll(agent))
      this.#failed(ask, error, phase === "sent" ? "anywhere" : "nowhere");
  }

  /** A try has failed. `elsewhere`: only an agent that did not have the ask may get it. */
  #failed(ask: Ask | undefined, error: AppError, retry: "nowhere" | "elsewhere" | "anywhere"): void {
    if (!ask) return;
    ask.failTry(error, retry === "anywhere");
    const { firstByteMs, queueWaitMs } = this.options.limits;
    if (retry !== "nowhere" && ask.mayBeRetried(this.#now(), firstByteMs + queueWaitMs)) this.#place(ask);
    else this.open.settle(ask, error);
  }
}
