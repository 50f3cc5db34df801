import { AppError } from "../errors.ts";
import type { CloseReason } from "../protocol/close.ts";
import type { Agent, Slot } from "./agent.ts";
import type { Ask, AskResult } from "./ask.ts";
import type { Hub } from "./hub.ts";
import type { RelayOptions } from "./options.ts";
import type { Answer, Delta } from "./ports.ts";
import type { Watch } from "./watch.ts";

interface RunningOptions extends RelayOptions {
  hub: Hub;
  watch: Watch;
  /** The ask has its outcome. */
  settle(ask: Ask, outcome: AskResult | AppError): void;
  /** This try has failed, and another one harms nobody. */
  retry(ask: Ask, agent: Agent, error: AppError, repeatable: boolean): void;
  /** The agent may have room again. */
  freed(agent: Agent): void;
  /** The agent cannot be written to. */
  lost(agent: Agent, reason: CloseReason, error: AppError): void;
}

/** The asks that are at an agent: from the order to the answer, or to whatever comes in its place. */
export class Running {
  readonly #options: RunningOptions;
  #answersDropped = 0;
  #deltas = 0;

  constructor(options: RunningOptions) {
    this.#options = options;
  }

  get answersDropped(): number {
    return this.#answersDropped;
  }

  get deltas(): number {
    return this.#deltas;
  }

  send(ask: Ask, agent: Agent): void {
    const { clock, limits, newId, hub, lost } = this.#options;
    const { work, origin } = ask.request;
    const slotId = newId();
    const request = agent.requestFor(work);
    const what = request ?? work.v1;
    if (!what) throw new Error("an agent was chosen that cannot do the work");
    const deadlineMs = request && !request.stream ? limits.wholeAnswerMs : limits.firstByteMs;
    const now = clock.now();
    ask.state = "sent";
    ask.at = { agent, slot: slotId };
    ask.tries++;
    ask.tried.add(agent.id);
    ask.lastAgent = agent;
    ask.sentAt = now;
    agent.sentAt = now;
    const stopLimit = clock.after(deadlineMs, () => this.#limitReached(agent, slotId));
    hub.occupy(agent, slotId, { ask, request, phase: "sent", heardAt: now, stopLimit });
    const model = agent.modelFor(work);
    const order = { kind: "ask", slot: slotId, what, model, deadlineMs, origin } as const;
    if (!agent.transport.send(order)) lost(agent, "frames_dropped", new AppError("agent_send_failed"));
  }

  accept(agent: Agent, slotId: string): void {
    const slot = agent.inUse.get(slotId);
    if (!slot) return;
    this.#heard(agent, slot);
    if (slot.phase === "sent") slot.phase = "accepted";
  }

  delta(agent: Agent, slotId: string, delta: Delta): void {
    const slot = agent.inUse.get(slotId);
    if (!slot) return;
    this.#deltas++;
    this.#heard(agent, slot);
    if (slot.phase !== "started") {
      slot.phase = "started";
      this.#watchPauses(agent, slotId, slot, this.#options.limits.betweenDeltasMs);
    }
    const { ask } = slot;
    if (!ask) return;
    ask.firstAt ??= slot.heardAt;
    ask.deltas++;
    ask.deltaLength += delta.data.length;
    ask.request.onDelta?.(delta, slot.request);
  }

  done(agent: Agent, slotId: string, answer: Answer): void {
    const { hub, watch, clock, settle, freed } = this.#options;
    const slot = hub.release(agent, slotId);
    if (!slot) return;
    watch.heard(agent);
    agent.heartbeatAt = clock.now();
    const { ask, request } = slot;
    if (ask) settle(ask, { answer, agent: agent.id, model: agent.modelFor(ask.request.work), request });
    else this.#answersDropped++;
    freed(agent);
  }

  fail(agent: Agent, slotId: string, error: AppError, retryable: boolean): void {
    const { hub, watch, clock, settle, retry, freed } = this.#options;
    const slot = hub.release(agent, slotId);
    if (!slot) return;
    watch.heard(agent);
    if (retryable) agent.restingUntil = clock.now() + (error.retryAfterMs ?? 0);
    if (slot.ask && retryable && slot.phase !== "started") retry(slot.ask, agent, error, false);
    else if (slot.ask) settle(slot.ask, error);
    freed(agent);
  }

  /** The caller has gone: an agent that can be told is, and its slot is free at once. */
  abandon({ agent, slot: slotId }: { agent: Agent; slot: string }): void {
    const slot = agent.inUse.get(slotId);
    if (!slot) return;
    slot.ask = undefined;
    if (!agent.isV1) this.#cancel(agent, slotId);
  }

  /** The agent has left: what it had not begun another one may do, the rest has failed. */
  orphan(agent: Agent, error: AppError): void {
    const { hub, settle, retry } = this.#options;
    for (const slotId of [...agent.inUse.keys()]) {
      const slot = hub.release(agent, slotId);
      if (slot?.ask && slot.phase === "sent") retry(slot.ask, agent, error, true);
      else if (slot?.ask) settle(slot.ask, error);
    }
  }

  /** Frees all slots of an agent that is to be closed, and gives the asks that were in them. */
  takeAll(agent: Agent): Ask[] {
    const slots = [...agent.inUse.keys()].map((slotId) => this.#options.hub.release(agent, slotId));
    return slots.flatMap((slot) => slot?.ask ?? []);
  }

  #heard(agent: Agent, slot: Slot): void {
    const { hub, clock } = this.#options;
    slot.heardAt = clock.now();
    hub.heard(agent, slot.heardAt);
  }

  /** One timer for all pauses of an answer: it looks how long the present one is, and sleeps on for the rest. */
  #watchPauses(agent: Agent, slotId: string, slot: Slot, afterMs: number): void {
    const { clock, limits } = this.#options;
    slot.stopLimit();
    slot.stopLimit = clock.after(afterMs, () => {
      const leftMs = slot.heardAt + limits.betweenDeltasMs - clock.now();
      if (leftMs > 0) this.#watchPauses(agent, slotId, slot, leftMs);
      else this.#limitReached(agent, slotId);
    });
  }

  #limitReached(agent: Agent, slotId: string): void {
    const { hub, settle, retry, freed } = this.#options;
    const slot = hub.release(agent, slotId);
    if (!slot) return;
    const error = new AppError("agent_timeout", { extra: { err: "no answer within the time limit" } });
    if (agent.isV1) {
      // It cannot be told, and may work on it still: it must answer a ping before it gets more.
      agent.heardAt = Number.NEGATIVE_INFINITY;
      if (slot.ask) settle(slot.ask, error);
    } else {
      this.#cancel(agent, slotId);
      if (slot.ask && slot.phase === "sent") retry(slot.ask, agent, error, false);
      else if (slot.ask) settle(slot.ask, error);
    }
    freed(agent);
  }

  #cancel(agent: Agent, slotId: string): void {
    const { hub, freed, lost } = this.#options;
    hub.release(agent, slotId);
    if (agent.transport.send({ kind: "cancel", slot: slotId })) freed(agent);
    else lost(agent, "frames_dropped", new AppError("agent_send_failed"));
  }
}
