import type { AppError } from "../errors.ts";
import { type Agent, lostError, sendError, timeoutError, tooLongError } from "./agent.ts";
import type { Ask } from "./ask.ts";
import type { Retry } from "./asks/tries.ts";
import { Circuits } from "./health/circuits.ts";
import type { RelayOptions } from "./options.ts";
import { Placement } from "./placement.ts";
import type { Place } from "./routing/need.ts";
import { Slot, slotLimits } from "./slot.ts";
import type { AgentCommand, Answer, Delta, LeaveReason } from "./types.ts";

type AskCommand = Extract<AgentCommand, { kind: "ask" }>;

/**
 * The time limits of asks at other nodes' agents are longer by this, so that those of the agents' own nodes are over
 * first: there a failure counts for the agent's circuit.
 */
const LENT_GRACE_MS = 2_000;

/** Sends asks to the agents that were found for them, and follows each in its slot until the try ends. */
export abstract class Sending extends Placement {
  protected readonly circuits: Circuits;
  /** How many answers came for callers who had gone. */
  protected answersDropped = 0;
  /** How many deltas have come. */
  deltas = 0;

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

  /** Ends an ask whose answer nobody wants. Its slot is free at once, unless its agent cannot cancel it. */
  protected withdraw(ask: Ask, error: AppError): void {
    const { place } = ask;
    this.open.settle(ask, error);
    const agent = place && this.hub.agentWith(place);
    const slot = place && agent?.inUse.get(place.slotId);
    if (!agent || !slot) return;
    if (slot.phase === "started") this.#noteAffinity(ask, agent);
    slot.ask = undefined;
    if (!agent.isV1 || agent.lentSlotId || slot.phase === "held") this.cancel(agent, place.slotId);
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
    if (slot.phase === "sent") slot.ask?.progressed("accept", slotId);
    slot.accept();
  }

  delta(agent: Agent, slotId: string, delta: Delta): void {
    const slot = agent.inUse.get(slotId);
    if (!slot) return;
    const { clock, limits } = this.options;
    const now = clock.now();
    noteLoad(agent, slot, now);
    if (slot.phase !== "started") this.circuits.streamed(agent, slot, now);
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
    this.failSlot(agent, slotId, error, retryable ? "elsewhere" : "nowhere");
  }

  protected failSlot(agent: Agent, slotId: string, error: AppError, retry: Retry): void {
    const now = this.now();
    const slot = this.hub.release(agent, slotId, now);
    if (!slot) return;
    this.watch.heard(agent, now);
    this.circuits.failed(agent, slot, error, retry !== "nowhere");
    this.#failed(slot.ask, error, slot.phase === "started" ? "nowhere" : retry);
    this.#freed(agent);
  }

  protected send(ask: Ask, place: Place, now: number): void {
    const { work } = ask;
    const { agent, model, need } = place;
    const slotId = agent.lentSlotId ?? this.options.newId();
    const modelRequest = agent.requestFor(work);
    const request = modelRequest ?? work.v1;
    if (!request) throw new Error("an agent was chosen that cannot do the work");
    this.sought.end(ask, true);
    ask.send(agent.profile, slotId, { request, model }, now);
    // The caller may leave when they learn of it.
    if (!ask.place) return;
    need.sent(place, now);
    const slot = new Slot(ask, modelRequest, model, () => this.#limitReached(agent, slotId));
    if (ask.isTicket) this.hold(agent, slotId, slot, now);
    else this.transmit(agent, slotId, slot, { request, origin: ask.request.origin }, now);
  }

  /** Sends the request to the agent, and limits its time. */
  protected transmit(
    agent: Agent,
    slotId: string,
    slot: Slot,
    { request, origin }: Pick<AskCommand, "request" | "origin">,
    now: number,
  ): void {
    const { clock } = this.options;
    const { model } = slot;
    const limits = slotLimits(slot.request, this.options.limits);
    agent.sentAt = now;
    slot.limit(clock, limits, now, agent.lentSlotId ? LENT_GRACE_MS : 0);
    slot.isLoading = this.hub.use(agent, model, now);
    this.hub.occupy(agent, slotId, slot, now);
    const deadlineMs = limits.silenceMs;
    this.circuits.sent(agent, slot);
    if (!agent.transport.send({ kind: "ask", slot: slotId, request, model, deadlineMs, origin }))
      this.lose(agent, "frames_dropped", sendError);
  }

  /** The agent must go for this reason, as it cannot be written to, or has finished its last ask. */
  protected abstract lose(agent: Agent, reason: LeaveReason, errorOf: () => AppError): void;

  /** Holds the slot for another node's ask, and offers it to that node. */
  protected abstract hold(agent: Agent, slotId: string, slot: Slot, now: number): void;

  /** The other node that lends the slot cannot be written to. Harmless if the agent is of this node, or gone. */
  protected abstract loseLent(agent: Agent, errorOf: () => AppError): void;

  /** The slot was held for another node in vain. */
  protected abstract expired(slotId: string): void;

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
    if (agent.inUse.get(slotId)?.phase === "held") {
      this.expired(slotId);
      return;
    }
    const slot = this.hub.release(agent, slotId, now);
    if (!slot) return;
    // A v1 agent cannot cancel an ask, and may still work on it.
    if (agent.isV1 && !agent.lentSlotId) agent.mustAnswerPing = true;
    else this.cancel(agent, slotId);
    const answer = slot.ask?.wholeStream;
    const retry = slot.phase === "sent" && !agent.isV1 ? "elsewhere" : "nowhere";
    if (answer) this.circuits.answered(agent, slot, answer);
    else this.circuits.timedOut(agent, slot);
    if (slot.ask && answer) this.#answered(agent, slot, answer, now);
    else this.#failed(slot.ask, timeoutError(), retry);
    this.#freed(agent);
  }

  protected cancel(agent: Agent, slotId: string): void {
    const slot = this.hub.release(agent, slotId, this.now());
    if (slot?.phase === "held" || agent.transport.send({ kind: "cancel", slot: slotId })) this.#freed(agent);
    else this.lose(agent, "frames_dropped", sendError);
  }

  /** A slot of the agent is free: it may have room again, or have finished its last ask before it must go. */
  #freed(agent: Agent): void {
    if (agent.lentSlotId) this.hub.lent.delete(agent.lentSlotId);
    const { leaving } = agent;
    if (leaving === undefined || agent.inUse.size > 0) this.serve(agent);
    else this.lose(agent, leaving, () => lostError("it was disconnected"));
  }

  /** The agent of these slots has left: another one may do what it had not begun; the rest has failed. */
  protected orphan(slots: readonly Slot[], error: AppError): void {
    for (const { ask, phase } of slots) {
      const hasBegun = phase === "accepted" || phase === "started";
      this.#failed(ask, error, hasBegun ? "nowhere" : "anywhere");
    }
  }

  /** The node that lent these slots is lost: another agent may do what has no answer yet. */
  protected move(slots: readonly Slot[], error: AppError): void {
    for (const { ask, phase } of slots) this.#failed(ask, error, phase === "started" ? "nowhere" : "moved");
  }

  /** A try has failed. */
  #failed(ask: Ask | undefined, error: AppError, retry: Retry): void {
    if (!ask) return;
    ask.failTry(error, retry);
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
