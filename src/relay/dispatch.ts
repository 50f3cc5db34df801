import { AppError } from "../errors.ts";
import { type Agent, lostError } from "./agent.ts";
import { Ask } from "./ask.ts";
import { type AgentUpdate, AgentUpdates } from "./offers/agent-updates.ts";
import type { Need } from "./routing/need.ts";
import { Sending } from "./sending.ts";
import type { AskRequest, AskResult, LeaveReason, Signal } from "./types.ts";

/** Asks that arrive in the same millisecond have an order, too, and can be compared with those of other nodes by age. */
const ARRIVAL_MS = 1 / 1024;

/** Brings asks and agents together: gives each ask to one agent at a time, and follows it until its one outcome. */
export abstract class Dispatch extends Sending {
  protected readonly updates = new AgentUpdates(this.soon, (agent, update) => this.#changeTo(agent, update));
  #arrivals = 0;

  /** Takes an ask until it has an outcome; see `Relay.ask`. */
  protected take(request: AskRequest, signal: Signal): Promise<AskResult> {
    const now = this.now();
    this.#arrivals = Math.max(this.#arrivals + ARRIVAL_MS, now);
    const ask = new Ask(request, now, this.#arrivals);
    ask.listen(signal, () => this.withdraw(ask, new AppError("caller_gone")));
    this.open.add();
    request.onTaken?.();
    this.place(ask, now);
    return ask.result;
  }

  /** Ends every ask with `draining` and closes every agent's connection. */
  protected endAll(): void {
    for (const ask of this.open.all()) this.open.settle(ask, new AppError("draining"));
    for (const agent of this.hub.lent.values()) this.cancel(agent, agent.lentSlotId);
    for (const agent of [...this.hub.agents.values()]) {
      const slots = this.hub.releaseAll(agent, this.now());
      this.#remove(agent, "server_draining");
      this.orphan(
        slots.filter(({ ask }) => ask?.isTicket),
        lostError("its server stops"),
      );
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
    this.orphan(orphans, lostError("its agent connected anew"));
    this.serve(agent);
    this.lookAgain(before);
  }

  /**
   * The agent has left, or must go for the given reason: its asks move on, or fail with the error. The error is made
   * only if it has asks, as thousands of idle agents may leave at once.
   */
  protected lose(agent: Agent, reason: LeaveReason, errorOf: () => AppError): void {
    if (!this.hub.has(agent)) {
      this.loseLent(agent, errorOf);
      return;
    }
    const error = agent.inUse.size > 0 ? errorOf() : undefined;
    if (error && reason !== "disconnected" && reason !== "replaced") this.circuits.lost(agent, error);
    const needs = this.#remove(agent, reason);
    if (error) this.orphan(this.hub.releaseAll(agent, this.now()), error);
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
}
