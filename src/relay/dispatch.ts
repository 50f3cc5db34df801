import { AppError } from "../errors.ts";
import { type Agent, lostError, sendError, timeoutError, tooLongError } from "./agent.ts";
import { Ask } from "./ask.ts";
import { Circuits } from "./health/circuits.ts";
import { type AgentUpdate, AgentUpdates } from "./offers/agent-updates.ts";
import type { RelayOptions } from "./options.ts";
import { Placement } from "./placement.ts";
import type { Need, Place } from "./routing/need.ts";
import { Slot, slotLimits } from "./slot.ts";
import type { Answer, AskRequest, AskResult, Delta, LeaveReason, Signal } from "./types.ts";

/** Brings asks and agents together: gives each ask to one agent at a time, and follows it until its one outcome. */
export abstract class Dispatch extends Placement {
  protected readonly circuits: Circuits;
  protected readonly updates = new AgentUpdates(this.soon, (agent, update) => this.#changeTo(agent, update));
  /** How many answers came for callers who had gone. */
  protected answersDropped = 0;
  /** How many deltas have come. */
  deltas = 0;
  #arrivals = 0;

  constructor(options: RelayOptions) {
    super(options);
    this.circuits = new Circuits({
      ...options,
      onChange: (agent) => this.hub.changed(agent, this.now()),
      onDue: (agent) => {
        this.watch.refresh(agent);
        this.serve(agent);
      },
      onBlocked: (agent) => this.lookAgain(this.hub.needs.of(agent)),
    });
  }

  /** Takes an ask until it has an outcome; see `Relay.ask`. */
  protected take(request: AskRequest, signal: Signal): Promise<AskResult> {
    const now = this.now();
    const ask = new Ask(request, now, ++this.#arrivals);
    ask.listen(signal, () => this.withdraw(ask, new AppError("caller_gone")));
    this.open.add();
    this.place(ask, now);
    return ask.result;
  }

  /** Ends an ask whose answer nobody wants. Its slot is free at once, unless its agent cannot cancel it. */
  protected withdraw(ask: Ask, error: AppError): void {
    const { place } = ask;
    this.open.settle(ask, error);
    const agent = place && this.hub.agents.get(place.agentId);
    const slot = place && agent?.inUse.get(place.slotId);
    if (!agent || !slot) return;
    if (slot.phase === "started") this.#noteAffinity(ask, agent);
    slot.ask = undefined;
    if (!agent.isV1) this.#cancel(agent, place.slotId);
  }

  /** Ends every ask with `draining` and closes every agent's connection. */
  protected endAll(): void {
    for (const ask of this.open.all()) this.open.settle(ask, new AppError("draining"));
    for (const agent of [...this.hub.agents.values()]) {
      this.hub.releaseAll(agent, this.now());
      this.#remove(agent, "server_draining");
    }
    this.watch.stop();
  }

  /** Registers the agent, in the place of the holder of its id if there is one. */
  protected register(agent: Agent, holder: Agent | undefined): void {
    // Before the new connection takes over its circuits, which must not wait for the outcome of a probe there.
    const orphans = holder ? this.hub.releaseAll(holder, this.now()) : [];
    const before = holder ? this.#remove(holder, "replaced") : [];
    const earlier = this.hub.add(agent);
    if (earlier) this.circuits.inherit(agent, earlier);
    this.watch.start();
    this.options.observe?.joined(agent.profile);
    this.#orphan(orphans, lostError("its agent connected anew"));
    this.serve(agent);
    this.lookAgain(before);
  }

  /**
   * The agent has left, or must go for the given reason: its asks move on, or fail with the error. The error is made
   * only if it has asks, as thousands of idle agents may leave at once.
   */
  protected lose(agent: Agent, reason: LeaveReason, errorOf: () => AppError): void {
    if (!this.hub.has(agent)) return;
    const error = agent.inUse.size > 0 ? errorOf() : undefined;
    if (error && reason !== "disconnected" && reason !== "replaced") this.circuits.lost(agent, error);
    const needs = this.#remove(agent, reason);
    if (error) this.#orphan(this.hub.releaseAll(agent, this.now()), error);
    this.lookAgain(needs);
  }

  protected missed(agent: Agent, reason: LeaveReason): void {
    this.lose(agent, reason, () => lostError("it answered no ping"));
  }

  /** The agent answered the last ping. */
  pong(agent: Agent): void {
    if (!this.hub.has(agent)) return;
    this.watch.heard(agent, this.now());
    this.serve(agent);
  }

  /** Applies what has changed of the agent. Returns whether anything has. */
  #changeTo(agent: Agent, { offer, preference }: AgentUpdate): boolean {
    const now = this.now();
    const isPreferred = preference !== undefined && !agent.hasPreference(preference);
    if (isPreferred) this.changed(agent, this.hub.changePreference(agent, preference, now));
    const before = offer && this.hub.changeOffer(agent, offer, now);
    if (!before) return isPreferred;
    this.circuits.offerChanged(agent);
    this.changed(agent, before);
    return true;
  }

  /**
   * The agent's offer or state has changed: some asks may go to it now, and of those that wait for what it served
   * before, some may have lost their last hope.
   */
  protected changed(agent: Agent, before: Iterable<Need>): void {
    this.serve(agent);
    this.lookAgain(before);
  }

  /** Something came from the agent: it is no longer stale. */
  protected heard(agent: Agent, now: number): void {
    if (this.hub.heard(agent, now)) this.serve(agent);
  }

  /** The work has begun: from here on no other agent gets it. */
  accept(agent: Agent, slotId: string): void {
    const slot = agent.inUse.get(slotId);
    if (!slot) return;
    this.heard(agent, this.now());
    slot.accept();
  }

  delta(agent: Agent, slotId: string, delta: Delta): void {
    const slot = agent.inUse.get(slotId);
    if (!slot) return;
    const { clock, limits } = this.options;
    const now = clock.now();
    noteLoad(agent, slot, now);
    this.deltas++;
    this.heard(agent, now);
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
    const now = this.now();
    const slot = this.hub.release(agent, slotId, now);
    if (!slot) return;
    this.watch.heard(agent, now);
    agent.heartbeatAt = now;
    this.circuits.answered(agent, slot, answer);
    this.#answered(agent, slot, answer, now);
    this.#freed(agent);
  }

  /** The agent could not do the work. Before the first delta, another agent may, if `retryable`. */
  fail(agent: Agent, slotId: string, error: AppError, retryable: boolean): void {
    const now = this.now();
    const slot = this.hub.release(agent, slotId, now);
    if (!slot) return;
    this.watch.heard(agent, now);
    this.circuits.failed(agent, slot, error, retryable);
    this.#failed(slot.ask, error, retryable && slot.phase !== "started" ? "elsewhere" : "nowhere");
    this.#freed(agent);
  }

  protected send(ask: Ask, place: Place, now: number): void {
    const { clock, newId } = this.options;
    const { work } = ask;
    const { origin } = ask.request;
    const { agent, model, need } = place;
    const slotId = newId();
    const modelRequest = agent.requestFor(work);
    const request = modelRequest ?? work.v1;
    if (!request) throw new Error("an agent was chosen that cannot do the work");
    const limits = slotLimits(modelRequest, this.options.limits);
    ask.send(agent.profile, slotId, { request, model }, now);
    // The caller may leave when they learn of it.
    if (!ask.place) return;
    agent.sentAt = now;
    need.sent(place, now);
    const slot = new Slot(ask, modelRequest, model, () => this.#limitReached(agent, slotId));
    slot.limit(clock, limits, now);
    slot.isLoading = this.hub.use(agent, model, now);
    this.hub.occupy(agent, slotId, slot);
    const deadlineMs = limits.silenceMs;
    this.circuits.sent(agent, slot);
    if (!agent.transport.send({ kind: "ask", slot: slotId, request, model, deadlineMs, origin }))
      this.lose(agent, "frames_dropped", sendError);
  }

  /** The ask has its answer, which also tells how fast the agent is. */
  #answered(agent: Agent, slot: Slot, answer: Answer, now: number): void {
    const { ask, sentAt, model } = slot;
    if (!ask) {
      this.answersDropped++;
      return;
    }
    const record = this.open.settle(ask, slot.resultOf(agent.id, answer), now);
    noteLoad(agent, slot, now);
    const wholeMs = now - sentAt;
    agent.noteService(wholeMs);
    if (answer.kind === "model" && answer.status >= 300) return;
    this.#noteAffinity(ask, agent);
    const firstByteMs = (ask.firstByteAt ?? now) - sentAt;
    this.hub.measured(agent, model, { firstByteMs, wholeMs, outputTokens: record?.outputTokens }, now);
  }

  /** The agent has the request in its cache now. */
  #noteAffinity({ work, request: { principal, affinity } }: Ask, agent: Agent): void {
    if (affinity) this.affinity.note(principal, work.model ?? "", affinity, agent.id);
  }

  #limitReached(agent: Agent, slotId: string): void {
    const now = this.now();
    const slot = this.hub.release(agent, slotId, now);
    if (!slot) return;
    // A v1 agent cannot cancel an ask, and may still work on it.
    if (agent.isV1) agent.mustAnswerPing = true;
    else this.#cancel(agent, slotId);
    const answer = slot.ask?.wholeStream;
    const retry = slot.phase === "sent" && !agent.isV1 ? "elsewhere" : "nowhere";
    if (answer) this.circuits.answered(agent, slot, answer);
    else this.circuits.timedOut(agent, slot);
    if (slot.ask && answer) this.#answered(agent, slot, answer, now);
    else this.#failed(slot.ask, timeoutError(), retry);
    this.#freed(agent);
  }

  #cancel(agent: Agent, slotId: string): void {
    this.hub.release(agent, slotId, this.now());
    if (agent.transport.send({ kind: "cancel", slot: slotId })) this.#freed(agent);
    else this.lose(agent, "frames_dropped", sendError);
  }

  /** A slot of the agent is free: it may have room again, or have finished its last ask before it must go. */
  #freed(agent: Agent): void {
    if (!agent.leaving || agent.inUse.size > 0) this.serve(agent);
    else this.lose(agent, "disconnected", () => lostError("it was disconnected"));
  }

  /** Returns the needs that the agent has served: none if it was not connected, or no longer. */
  #remove(agent: Agent, reason: LeaveReason): Need[] {
    const now = this.now();
    const needs = this.hub.remove(agent, reason, now);
    if (!needs) return [];
    this.hub.forgetDepartures(now - this.options.limits.reconnectGraceMs);
    this.watch.forget(agent);
    this.circuits.stop(agent);
    if (this.hub.agents.size === 0) this.watch.stop();
    if (reason) agent.transport.close(reason);
    this.options.observe?.left(agent.profile, reason);
    return needs;
  }

  /** The agent of these slots has left: another one may do what it had not begun; the rest has failed. */
  #orphan(slots: readonly Slot[], error: AppError): void {
    for (const { ask, phase } of slots) this.#failed(ask, error, phase === "sent" ? "anywhere" : "nowhere");
  }

  /** A try has failed. `elsewhere`: only an agent that did not have the ask may get it. */
  #failed(ask: Ask | undefined, error: AppError, retry: "nowhere" | "elsewhere" | "anywhere"): void {
    if (!ask) return;
    ask.failTry(error, retry === "anywhere");
    const { firstByteMs, queueWaitMs } = this.options.limits;
    if (retry !== "nowhere" && ask.mayBeRetried(this.now(), firstByteMs + queueWaitMs)) this.place(ask);
    else this.open.settle(ask, error);
  }
}

/** The answer has begun: if the upstream had to load the model, it has done so. */
function noteLoad(agent: Agent, slot: Slot, now: number): void {
  if (slot.isLoading) agent.memory?.noteLoad(now - slot.sentAt);
  slot.isLoading = false;
}
