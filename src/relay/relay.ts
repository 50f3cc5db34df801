import { AppError } from "../errors.ts";
import { isSamePrincipal, type Principal, userIdOf } from "../principal.ts";
import type { CloseReason } from "../protocol/close.ts";
import { Agent, lostError, mayTakeOver, sendError } from "./agent.ts";
import type { Capacity, Departure } from "./hub.ts";
import type { OfferedModel } from "./offers/offered-model.ts";
import { offeredModels } from "./offers/offered-models.ts";
import type { Priority } from "./routing/priority.ts";
import { Lending } from "./tickets/lending.ts";
import type {
  AgentProfile,
  AskRequest,
  AskResult,
  LeaveReason,
  OfferUpdate,
  OpenUserAsk,
  Preference,
  Signal,
  Transport,
  Work,
} from "./types.ts";

/** An ask that waits for an agent. */
export interface WaitingAsk {
  requestId: string;
  surface: string;
  principal: Principal;
  /** The model that it is for; undefined if any will do. */
  model: string | undefined;
  priority: Priority;
  /** How long ago it arrived. */
  waitedMs: number;
  /** Returns about how many asks have their turn before it. */
  asksBefore(): number;
}

/**
 * The core: takes asks, keeps those that must wait, gives each to one agent at a time, and ends each with
 * exactly one outcome. `Dispatch` does that, with `Lending` across nodes; this class adds what the rest of the server calls.
 */
export class Relay extends Lending {
  #stopping = false;
  #draining = false;

  /* For callers. */

  /**
   * Resolves with the answer, or rejects with an `AppError` that says why there is none. Aborting `signal`
   * means that the caller has gone: the ask leaves the queue, or its answer is dropped when it comes.
   */
  ask(request: AskRequest, signal: Signal): Promise<AskResult> {
    if (this.#draining) return Promise.reject(new AppError("draining"));
    if (signal.aborted) return Promise.reject(new AppError("caller_gone"));
    return this.take(request, signal);
  }

  /** Returns the open asks of users, those that wait before those at an agent. */
  openUserAsks(): OpenUserAsk[] {
    return this.open.all().flatMap((ask) => {
      const { request, model } = ask;
      const end = (error: AppError) => this.withdraw(ask, error);
      return request.tokenHash === undefined ? [] : [{ tokenHash: request.tokenHash, model, end }];
    });
  }

  /** Ends every open ask of the user with key_unknown: waiting ones leave the queue, others are cancelled. */
  cancelUser(userId: string): void {
    // Asks that wait come first; otherwise they would take the slots that the others free.
    for (const ask of this.open.all())
      if (userIdOf(ask.principal) === userId)
        this.withdraw(ask, new AppError("key_unknown", { logAs: "key_revoked" }));
  }

  /* For the agents' connections. After `join`, every call is harmless once the agent has left. */

  /**
   * Registers an agent. An id that is in use passes to a newcomer that may take it over. Any other newcomer
   * is refused: the result is undefined, and the agent that has the id stays.
   */
  join(
    { slots, models, endpoints, preference, ...profile }: AgentProfile,
    transport: Transport,
  ): Agent | undefined {
    const holder = this.hub.agents.get(profile.id);
    if (holder && !mayTakeOver(profile, holder.profile)) return undefined;
    const now = this.options.clock.now();
    const agent = new Agent(profile, { slots, models, endpoints }, transport, now, preference);
    this.register(agent, holder);
    return agent;
  }

  /** The agent is sending a frame of about this many bytes, which may take long on a slow line. */
  announced(agent: Agent, bytes: number): void {
    this.watch.announced(agent, bytes);
  }

  /** The agent offers something else from now on, which ends a pause; see `AgentUpdates`. */
  update(agent: Agent, offer: OfferUpdate): void {
    this.updates.note(agent, { offer });
  }

  /** The agent is chosen by other rules from now on; see `AgentUpdates`. */
  prefer(agent: Agent, preference: Preference): void {
    this.updates.note(agent, { preference });
  }

  /** The agent finishes the asks that it has and takes no more. */
  pause(agent: Agent): void {
    this.updates.flush(agent);
    if (agent.paused) return;
    this.hub.pause(agent, this.options.clock.now());
    this.changed(agent, this.hub.needs.of(agent));
  }

  /** Notes whether the agent's socket takes more. While it does not, the agent gets no asks. */
  writable(agent: Agent, isWritable: boolean): void {
    const since = isWritable ? undefined : (agent.congestedAt ?? this.options.clock.now());
    this.hub.setCongested(agent, since, this.options.clock.now());
    this.changed(agent, isWritable ? [] : this.hub.needs.of(agent));
  }

  /** The agent's connection is closed, or to be closed for the given reason. */
  gone(agent: Agent, reason?: LeaveReason): void {
    this.lose(agent, reason, () => lostError("the connection was closed"));
  }

  /** An agent with this id has registered at another node, later than here. */
  replaced(agentId: string): void {
    const agent = this.hub.agents.get(agentId);
    if (agent) this.lose(agent, "replaced", () => lostError("its agent connected anew"));
  }

  /* For administration and monitoring. */

  /**
   * Closes an agent's connection; with `drain`, once the agent has finished the asks that it has, and it gets
   * no more. Returns what was done; undefined if no agent with this id is connected.
   */
  disconnect(agentId: string, { drain }: { drain: boolean }): "closed" | "draining" | undefined {
    const agent = this.hub.agents.get(agentId);
    return agent && this.#retire(agent, "disconnected", drain);
  }

  #retire(agent: Agent, reason: CloseReason, drain: boolean): "closed" | "draining" {
    this.hub.retire(agent, reason, this.options.clock.now());
    if (drain && agent.inUse.size > 0) {
      this.lookAgain(this.hub.needs.of(agent));
      return "draining";
    }
    this.lose(agent, reason, () => lostError("it was disconnected"));
    return "closed";
  }

  /** The registered agents, in the order of their registration. */
  agents(): Iterable<Agent> {
    return this.hub.agents.values();
  }

  /** Whether an agent with this id is connected, here or to another node. */
  isConnected(agentId: string): boolean {
    return this.hub.agents.has(agentId) || this.options.peers?.isConnected(agentId) === true;
  }

  /**
   * Closes the circuits of an agent, or the one of a model, so that it gets asks again. Returns the models whose
   * circuits these were; undefined if no agent with this id is connected.
   */
  resetCircuits(agentId: string, model?: string): string[] | undefined {
    const agent = this.hub.agents.get(agentId);
    if (!agent) return undefined;
    const models = this.circuits.reset(agent, model);
    this.serve(agent);
    return models;
  }

  /**
   * Asks an agent to update itself. Returns whether its owner allows that; undefined if no agent with this id is
   * connected.
   */
  askToUpdate(agentId: string): "asked" | "refused" | undefined {
    const agent = this.hub.agents.get(agentId);
    if (!agent) return undefined;
    if (!agent.profile.capabilities?.includes("update")) return "refused";
    if (!agent.transport.send({ kind: "update" })) this.lose(agent, undefined, sendError);
    return "asked";
  }

  /** How many circuits are open and half-open now, and how often one has opened. */
  circuitStats() {
    return this.circuits.stats(this.hub.agents.values());
  }

  /** The last departure of an agent that offered the model, if one left lately; it may be back at another node. */
  lastWith(model: string): Departure | undefined {
    return this.hub.lastWith(model);
  }

  /** Whether an agent of any node could do this work, busy or not. */
  canDo(work: Work): boolean {
    for (const agent of this.hub.needs.agentsWith(work.model)) if (agent.canDo(work)) return true;
    return this.options.peers?.canDo(work) === true;
  }

  /** The models that the agents of all nodes with a tag of each list offer, sorted by name. */
  models(tags: readonly (readonly string[])[] = []): OfferedModel[] {
    return offeredModels(this.hub, tags, this.options.peers?.models(tags));
  }

  /** Whether a v1 agent of any node offers the model. */
  hasV1Agent(model: string): boolean {
    return this.hub.models.isOfferedByV1(model) || this.options.peers?.offersModel(model, true) === true;
  }

  /** Whether an agent of any node offers the model, or one of this node has offered it since the server started. */
  knowsModel(model: string): boolean {
    return this.hub.models.has(model) || this.offersModel(model);
  }

  /** The agents of this node, and their slots. */
  capacity(): Capacity {
    return this.hub.capacity();
  }

  /** The agents, slots and asks of this node: `slots_in_use` has those that it lends. */
  stats() {
    const waiting = this.hub.needs.ownSize;
    let slotsInUse = 0;
    for (const agent of this.hub.agents.values()) slotsInUse += agent.inUse.size;
    return {
      agents: this.hub.agents.size,
      asks_waiting: waiting,
      asks_running: this.open.count - waiting,
      slots_in_use: slotsInUse,
      frames_ignored: this.framesIgnored,
      answers_dropped: this.answersDropped,
    };
  }

  /** How long the longest waiting ask has waited; undefined if none waits. */
  oldestWaitMs(): number | undefined {
    let oldest: number | undefined;
    for (const { beganAt } of this.hub.needs.ownWaiting()) oldest = Math.min(beganAt, oldest ?? beganAt);
    return oldest === undefined ? undefined : this.options.clock.now() - oldest;
  }

  /** The asks of the principal that wait, or of all, with about how many are before each of them. */
  waitingAsks(principal?: Principal): WaitingAsk[] {
    const now = this.options.clock.now();
    return this.hub.needs.ownWaiting().flatMap((ask) => {
      if (principal && !isSamePrincipal(ask.principal, principal)) return [];
      const { origin } = ask.request;
      return {
        ...{ requestId: origin.requestId, surface: origin.surface, principal: ask.principal },
        ...{ model: ask.model, priority: ask.priority, waitedMs: now - ask.beganAt },
        asksBefore: () => this.hub.needs.asksBefore(ask),
      };
    });
  }

  /* For the shutdown of the server. */

  /** Whether the server will refuse asks soon, or does already. */
  get isStopping(): boolean {
    return this.#stopping;
  }

  /** The server will stop soon, but takes asks as before until it drains. */
  announceStop(): void {
    this.#stopping = true;
  }

  /**
   * Refuses new asks, and lends no more slots; resolves once every ask that was taken, or that has a slot here, has its
   * outcome. Those that wait may still get slots of other nodes.
   */
  drain(): Promise<void> {
    this.announceStop();
    this.#draining = true;
    this.refuseTickets();
    return this.open.idle();
  }

  /** Retires more agents, of those that may go: each is closed once it has finished the asks that it has. */
  sendAway(countMax: number, mayGo: (transport: Transport) => boolean): void {
    for (const agent of this.hub.staying(countMax, mayGo))
      if (this.hub.has(agent)) this.#retire(agent, "server_draining", true);
  }

  /** Ends the open asks with `draining` and closes every agent's connection. */
  close(): void {
    this.announceStop();
    this.#draining = true;
    this.refuseTickets();
    this.endAll();
  }
}
