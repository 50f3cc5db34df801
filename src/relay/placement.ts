import { AppError } from "../errors.ts";
import type { Agent } from "./agent.ts";
import type { Ask } from "./ask.ts";
import { OpenAsks } from "./asks/open-asks.ts";
import {
  chooseFor,
  hopeMs,
  isUseful,
  mayGet,
  mayWaitFor,
  noAgentError,
  preferredOf,
  prefersElsewhere,
  queueFault,
  requirementOf,
  whyRefuse,
  withWait,
} from "./choice.ts";
import { coalesce, type Soon } from "./coalesce.ts";
import { Hub } from "./hub.ts";
import type { AgentUpdates } from "./offers/agent-updates.ts";
import type { RelayOptions } from "./options.ts";
import { AffinityBook } from "./routing/affinity.ts";
import { isBetter, type Need, type Place, type Requirement } from "./routing/need.ts";
import { hasAskFor, nextOf, takeNextFor } from "./routing/next.ts";
import { SoughtAsks } from "./tickets/sought.ts";
import type { LeaveReason } from "./types.ts";
import { Watch } from "./watch.ts";

/** An ask pings the next stale agent when the one before has not answered for this long. */
const NEXT_PING_MS = 1_000;
/** An ask waits for the pong of a better agent for this time before it goes to another. */
const PONG_MS = 250;
/** Asks that wait for a better agent are looked at this often at most, and at least. */
const LOOK_MS_MIN = 50;
const LOOK_MS_MAX = 1_000;

/** The number of asks that may end in one turn of the event loop because nobody can serve them. */
const ENDED_MAX = 100;

/**
 * Finds an agent for each ask, at once or by way of the queue. There are no races: every method runs to its end
 * before the next.
 *
 * Invariant: no ask waits while an agent that may serve it has room and was heard lately. Exceptions: it waits for
 * `affinityWaitMs` for the agent that has it cached, for a pong of a better agent, for an agent that is several times
 * faster, and for one that has the model in memory, see `mayGet`.
 */
export abstract class Placement {
  protected readonly hub: Hub;
  protected readonly open: OpenAsks;
  protected readonly watch: Watch;
  /** The waiting asks that agents of other nodes may get. */
  protected readonly sought: SoughtAsks;
  /** The agents that may have requests cached. */
  readonly affinity: AffinityBook;
  protected readonly soon: Soon;
  readonly #due = new Set<Need>();
  readonly #lookSoon: () => void;

  constructor(protected readonly options: RelayOptions) {
    const { peers } = options;
    this.hub = new Hub(peers && ((agent, isHere) => peers.agentChanged?.(agent, isHere)));
    this.sought = new SoughtAsks(options);
    this.open = new OpenAsks(options, this.hub, this.sought);
    this.affinity = new AffinityBook(options);
    this.watch = new Watch(options, this.hub, (agent, reason) => this.missed(agent, reason));
    this.soon = options.soon ?? ((run) => run());
    this.#lookSoon = coalesce(this.soon, () => {
      this.updates.flushAll();
      const needs = [...this.#due];
      this.#due.clear();
      for (const need of needs) this.#look(need);
    });
  }

  /** Sends the ask, which waits no more, to the agent of the place. */
  protected abstract send(ask: Ask, place: Place, now: number): void;

  /** Holds what agents have changed in this turn. It is applied before an ask is given to one of them. */
  protected abstract readonly updates: AgentUpdates;

  /** The agent did not answer a ping, or could not be written to. */
  protected abstract missed(agent: Agent, reason: LeaveReason): void;

  /** Whether an agent of any node offers the model. */
  offersModel(model: string): boolean {
    return this.hub.models.isOffered(model) || this.options.peers?.offersModel(model) === true;
  }

  protected now(): number {
    return this.options.clock.now();
  }

  /** Sends an ask to an agent, lets it wait, or refuses it. */
  protected place(ask: Ask, now = this.now()): void {
    this.updates.flushAll();
    const requirement = requirementOf(ask);
    const need = this.hub.needs.get(requirement, now);
    const own = preferredOf(ask, need, this.hub, this.affinity);
    if (own && mayWaitFor(ask, own, this.hub, this.options, now)) {
      const isFresh = own.agent.isFresh(now);
      if (own.agent.hasRoom && !isFresh) this.hub.setStale(own, now);
      if (own.agent.hasRoom && isFresh) this.send(ask, own, now);
      else this.#hold(ask, need, { ...requirement, pin: ask.preferred, isPreferred: true });
    } else if (prefersElsewhere(ask, this.hub, this.options))
      this.#hold(ask, need, { ...requirement, pin: ask.preferred, isPreferred: true });
    else this.#placeAnywhere(ask, need, now);
  }

  #placeAnywhere(ask: Ask, need: Need, now = this.now()): void {
    const test = mayGet(ask, need, this.hub, this.options, now);
    let chosen = chooseFor(need, this.hub, test, now);
    if (chosen === "later" && this.#mayHold(ask)) {
      this.#wait(ask, need);
      this.lookAgain([need]);
      return;
    }
    while (chosen === "later") chosen = chooseFor(need, this.hub, test, now);
    const best = chosen;
    if (need.staleTrial) this.watch.ping(need.staleTrial);
    const mayPing = best && !ask.wasPinged && this.#mayHold(ask);
    const stale = mayPing && need.stale((place) => test(place) && this.watch.mayAnswer(place.agent, PONG_MS));
    if (stale && isBetter(stale, best)) this.#ping(ask, need, stale.agent);
    else if (best) this.send(ask, best, now);
    else this.#wait(ask, need);
  }

  /** Lets the ask wait for the pong of a better agent that was not heard lately. */
  #ping(ask: Ask, need: Need, agent: Agent): void {
    ask.wasPinged = true;
    ask.hold(this.options.clock, PONG_MS, () => this.#release(ask));
    const better = { ...need.requirement, pin: agent.id, isPreferred: true };
    this.#wait(ask, this.hub.needs.get(better, this.now()));
  }

  /** Lets the ask wait for better agents. If none of them has room in time, it goes to any. */
  #hold(ask: Ask, need: Need, better: Requirement): void {
    const { clock, limits } = this.options;
    const mayHold = !ask.wasHeld && limits.affinityWaitMs > 0 && this.#mayHold(ask);
    ask.wasHeld = true;
    if (!mayHold) {
      this.#placeAnywhere(ask, need);
      return;
    }
    ask.hold(clock, limits.affinityWaitMs, () => this.#release(ask));
    this.#wait(ask, this.hub.needs.get(better, this.now()));
  }

  /** Whether there is room in the queue. Otherwise the ask would be refused, though an agent has room for it. */
  #mayHold(ask: Ask): boolean {
    return ask.isWaiting || queueFault(ask, this.hub, this.options.limits) === undefined;
  }

  /** The ask, which has waited for better agents, may go to any. */
  #release(ask: Ask): void {
    ask.release();
    this.hub.needs.leave(ask);
    this.#placeAnywhere(ask, this.hub.needs.get(requirementOf(ask), this.now()));
  }

  #wait(ask: Ask, need: Need): void {
    const { limits, clock } = this.options;
    const isNew = ask.isUntried && !ask.isWaiting && !ask.isTicket;
    const refusal = isNew ? whyRefuse(ask, need, this.hub, this.options) : undefined;
    if (refusal) {
      this.#refuse(ask, refusal);
      return;
    }
    this.hub.needs.push(ask, need, !ask.isUntried);
    if (!ask.isWaiting) {
      ask.wait(clock, limits.queueWaitMs, () => this.#giveUp(ask));
      ask.request.onWaiting?.(() => this.hub.needs.asksBefore(ask));
    }
    this.#endIfHopeless(ask, need);
    if (this.hub.needs.ofAsk(ask) === need) this.sought.begin(ask, need);
    this.#lookForBetter(need);
  }

  #giveUp(ask: Ask): void {
    const need = this.hub.needs.ofAsk(ask);
    const error = new AppError("no_agent");
    this.open.settle(ask, ask.failure ?? (need ? withWait(error, need, this.hub) : error));
  }

  /** No agent can serve the ask with its present model: it goes on with the next one, or ends. */
  #refuse(ask: Ask, error: AppError): void {
    const isFull = error.code === "queue_full" || error.code === "user_queue_full";
    if (!isFull && ask.fallBack((model) => this.offersModel(model))) {
      this.hub.needs.leave(ask);
      this.place(ask);
    } else this.open.settle(ask, error);
  }

  /** Asks that wait for what the agent serves may go to another now, or may have lost their last hope. */
  protected lookAgain(needs: Iterable<Need>): void {
    for (const need of needs) if (need.waiting.size > 0) this.#due.add(need);
    if (this.#due.size > 0) this.#lookSoon();
  }

  /**
   * Sends the waiting asks for which an agent has room, pings a stale agent for the others, and ends those without
   * hope. Called when an agent leaves or changes, and when asks have waited long enough for a better one.
   */
  #look(need: Need): void {
    if (!this.#sendWaiting(need)) this.lookAgain([need]);
    else if (need.waiting.size > 0) this.#endOrLookLater(need);
  }

  #endOrLookLater(need: Need): void {
    if (need.requirement.isPreferred && !need.some((agent) => isUseful(need, agent, this.now()))) {
      for (const ask of need.waiting.items())
        if (!prefersElsewhere(ask, this.hub, this.options)) this.#release(ask);
      return;
    }
    this.#endHopeless(need);
    this.#lookForBetter(need);
  }

  /** Pings a stale agent for the asks that wait, and looks again when they have waited long enough for a better one. */
  #lookForBetter(need: Need): void {
    const { first } = need.waiting;
    if (!first) return;
    const { clock, limits } = this.options;
    const now = this.now();
    const look = () => this.#look(need);
    const stale = need.stale(({ agent }) => !this.watch.awaitsPong(agent));
    if (stale) {
      this.watch.ping(stale.agent);
      need.lookLater(clock, NEXT_PING_MS, look);
    }
    const waitedMs = first.waitedMs(now);
    const other = need.best(() => true, now);
    if (!other) return;
    const isTooSlow = need.pace.isTooSlow(other, waitedMs, now);
    const patienceMs = isTooSlow ? need.pace.patienceMs(other, now) : limits.affinityWaitMs;
    const leftMs = patienceMs > waitedMs ? patienceMs - waitedMs : LOOK_MS_MAX;
    need.lookLater(clock, Math.min(Math.max(leftMs, LOOK_MS_MIN), LOOK_MS_MAX), look);
  }

  /** Returns whether that is done. The rest is for a later turn if there were many stale agents. */
  #sendWaiting(need: Need): boolean {
    while (need.hasReady) {
      const now = this.now();
      const next = nextOf(need, this.hub, this.options, now);
      if (!next || next === "later") return !next;
      this.hub.needs.take(need, (one) => one === next.ask);
      this.send(next.ask, next.place, now);
    }
    return true;
  }

  #endHopeless(need: Need): void {
    const isNew = (ask: Ask | undefined) => ask?.isUntried === true && !ask.isTicket;
    const { first } = need.waiting;
    const untried = isNew(first) ? first : need.waiting.items().find(isNew);
    const hope = untried ? hopeMs(untried, need, this.hub, this.options) : Number.POSITIVE_INFINITY;
    const asks = hope === Number.POSITIVE_INFINITY ? [...need.tried] : need.waiting.items();
    const size = need.waiting.size;
    for (const ask of asks) {
      if (this.hub.needs.ofAsk(ask) !== need) continue;
      this.#endIfHopeless(ask, need, ask.isUntried ? hope : undefined);
      if (size - need.waiting.size < ENDED_MAX) continue;
      this.lookAgain([need]);
      return;
    }
  }

  /** Ends the ask, or goes on with its fallback, if there is no point in waiting. Another node's is that node's concern. */
  #endIfHopeless(ask: Ask, need: Need, known?: number): void {
    if (ask.isTicket) return;
    const hope = known ?? hopeMs(ask, need, this.hub, this.options);
    if (hope === Number.POSITIVE_INFINITY) return;
    const hasFallback = ask.work.fallbacks?.some((model) => this.offersModel(model));
    if (hope <= 0 || hasFallback) this.#refuse(ask, noAgentError(ask, need, this.hub, this.options));
    else need.lookLater(this.options.clock, hope, () => this.#look(need));
  }

  /** Sends the agent asks that wait, as long as it has room. A stale one must answer a ping first. */
  protected serve(agent: Agent): void {
    this.updates.flush(agent);
    while (this.hub.needs.size > 0 && this.hub.has(agent) && agent.hasRoom) {
      const now = this.now();
      if (!agent.isFresh(now)) {
        if (hasAskFor(this.hub.needs.placesOf(agent), now)) this.watch.ping(agent);
        return;
      }
      const next = takeNextFor(agent, this.hub.needs, this.options.limits.affinityWaitMs, now);
      if (!next) {
        // They wait for a better agent, and may go to this one later.
        for (const { need } of this.hub.needs.placesOf(agent)) this.#lookForBetter(need);
        return;
      }
      this.send(next.ask, next.place, now);
    }
  }
}
