import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import { isRetryable } from "../../json/upstream-error.ts";
import { type Agent, timeoutError } from "../agent.ts";
import type { Slot } from "../slot.ts";
import type { Answer, RelayLimits } from "../types.ts";
import { Circuit } from "./circuit.ts";
import { Results } from "./results.ts";

interface CircuitsOptions {
  clock: Clock;
  /** Returns 0 to 1, for the jitter. */
  random: () => number;
  limits: Pick<RelayLimits, "agentFailuresMax">;
  /** Called when an agent may get a probe. */
  onDue: (agent: Agent) => void;
  /** Called when one of the agent's circuits has changed. */
  onChange: (agent: Agent) => void;
  /** Called when an agent gets no more asks for a model: asks that wait may have lost their last hope. */
  onBlocked: (agent: Agent) => void;
}

/** The circuits of the connected agents, by model: opens them after failures, and closes them after a success. */
export class Circuits {
  /** How often one was opened, or opened again. */
  openings = 0;

  constructor(private readonly options: CircuitsOptions) {}

  /** The agent gets an ask, which is the probe if its pause is over. */
  sent(agent: Agent, slot: Slot): void {
    const circuit = agent.circuits?.get(slot.model);
    if (!circuit) return;
    const now = this.options.clock.now();
    if (circuit.isAvoidedAt(now)) return;
    slot.probeOf = circuit;
    circuit.probe = slot;
    this.options.onChange(agent);
    if (circuit.isBlockedAt(now)) this.options.onBlocked(agent);
  }

  /** The agent sends the answer of the probe. */
  begun(agent: Agent, slot: Slot): void {
    if (slot.probeOf?.probe !== slot) return;
    slot.probeOf.begin(this.options.limits.agentFailuresMax);
    this.options.onChange(agent);
    this.options.onDue(agent);
  }

  /** The agent has answered. An error that is the request's fault says nothing about the agent. */
  answered(agent: Agent, slot: Slot, answer: Answer): void {
    const status = answer.kind === "model" ? answer.status : 200;
    if (status < 300) {
      this.#resultsOf(agent)?.succeeded();
      this.#succeeded(agent, slot);
    } else if (isRetryable(status))
      this.#fail(agent, slot, new AppError("agent_failed", { upstream: { status } }));
  }

  /**
   * The agent gave a good answer. While its circuit is open, only the answer of the probe counts: long answers
   * of an upstream end well while it refuses new requests.
   */
  #succeeded(agent: Agent, slot: Slot): void {
    const circuit = agent.circuits?.get(slot.model);
    if (!circuit) return;
    if ((slot.wasProbe && slot.probeOf === circuit) || circuit.stateAt(this.options.clock.now()) === "closed")
      this.#close(agent, slot.model);
  }

  /** The agent failed an ask. If no other agent could do better, only a stream that it cut is its fault. */
  failed(agent: Agent, slot: Slot, error: AppError, isRetryableElsewhere: boolean): void {
    const isCut = slot.phase === "started" && isRetryable(error.upstream?.status ?? 500);
    if (isRetryableElsewhere || isCut) this.#fail(agent, slot, error);
    else if (isRetryable(error.upstream?.status ?? 500)) this.#noteResult(agent, error);
  }

  /** Returns the results of an agent of this node: what happens at one of another node counts there. */
  #resultsOf(agent: Agent): Results | undefined {
    if (agent.lentSlotId) return undefined;
    agent.results ??= new Results();
    return agent.results;
  }

  #noteResult(agent: Agent, error: AppError): void {
    this.#resultsOf(agent)?.failed(error, this.options.clock.now());
  }

  /** The first part of a streamed answer has come. The time that a model takes to load does not count. */
  streamed(agent: Agent, slot: Slot, now: number): void {
    if (!slot.isLoading) this.#resultsOf(agent)?.began(now - slot.sentAt);
  }

  timedOut(agent: Agent, slot: Slot): void {
    this.#fail(agent, slot, timeoutError());
  }

  #fail(agent: Agent, slot: Slot, error: AppError): void {
    if (this.#note(agent, slot, error)) this.options.onBlocked(agent);
  }

  /** Returns whether the circuit has opened. */
  #note(agent: Agent, slot: Slot, error: AppError): boolean {
    this.#noteResult(agent, error);
    const { clock, random, limits } = this.options;
    const { ask, sentAt, model } = slot;
    // What happens at an agent of another node counts there.
    if (agent.lentSlotId || !agent.hasModel(model)) return false;
    agent.circuits ??= new Map();
    const known = agent.circuits.get(model);
    const isProbe = known !== undefined && slot.probeOf === known && (slot.wasProbe || known.probe === slot);
    // What runs for another node may not be the ask of the ticket.
    const principal = ask?.isTicket ? undefined : ask?.principal;
    const failure = { error, principal, sentAt, at: clock.now(), isProbe };
    const circuit = known ?? new Circuit(failure);
    agent.circuits.set(model, circuit);
    const isOpened = circuit.fail(failure, limits.agentFailuresMax, random());
    if (isOpened) this.openings++;
    this.#schedule(agent, circuit);
    this.options.onChange(agent);
    return isOpened;
  }

  /** The connection was lost, which is one failure for each model that the agent worked with. */
  lost(agent: Agent, error: AppError): void {
    const sent = [...agent.inUse.values()].filter(({ phase }) => phase !== "held");
    const slots = new Map(sent.map((slot) => [slot.model, slot]));
    for (const slot of slots.values()) this.#note(agent, slot, error);
  }

  /** Closes the agent's circuits, or the one of a model. Returns the models whose circuits these were. */
  reset(agent: Agent, model: string | undefined): string[] {
    const models = [...(agent.circuits?.keys() ?? [])].filter(
      (name) => model === undefined || name === model,
    );
    for (const name of models) this.#close(agent, name);
    if (model === undefined) agent.results = undefined;
    return models;
  }

  /** The agent offers other models now. */
  offerChanged(agent: Agent): void {
    for (const model of agent.circuits?.keys() ?? []) if (!agent.hasModel(model)) this.#close(agent, model);
  }

  /** The agent has the id of one that left, and its circuits. */
  inherit(agent: Agent, from: Agent): void {
    agent.circuits = from.circuits;
    agent.results = from.results;
    this.offerChanged(agent);
    for (const circuit of agent.circuits?.values() ?? []) this.#schedule(agent, circuit);
    this.options.onChange(agent);
  }

  /** How many circuits of the agents are open and half-open now, and how often one has opened. */
  stats(agents: Iterable<Agent>) {
    const now = this.options.clock.now();
    const counts = { open: 0, half_open: 0, openings: this.openings };
    for (const { circuits } of agents)
      for (const circuit of circuits?.values() ?? []) {
        const state = circuit.stateAt(now);
        if (state !== "closed") counts[state]++;
      }
    return counts;
  }

  /** The agent has left. Its circuits are kept for its return. */
  stop({ circuits }: Agent): void {
    for (const circuit of circuits?.values() ?? []) circuit.stopTimer?.();
  }

  #close(agent: Agent, model: string): void {
    agent.circuits?.get(model)?.stopTimer?.();
    agent.circuits?.delete(model);
    if (agent.circuits?.size === 0) agent.circuits = undefined;
    this.options.onChange(agent);
  }

  #schedule(agent: Agent, circuit: Circuit): void {
    const { clock, onDue } = this.options;
    const now = clock.now();
    circuit.stopTimer?.();
    const due = circuit.isCoolingAt(now) ? circuit.cooledAt : circuit.retryAt;
    if (due <= now) return;
    circuit.stopTimer = clock.after(due - now, () => {
      if (due < circuit.retryAt) this.#schedule(agent, circuit);
      this.options.onChange(agent);
      onDue(agent);
    });
  }
}
