import type { Cancel, Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import type { Principal } from "../principal.ts";
import { StreamEnd } from "../protocol/stream-end.ts";
import { AnswerMeter } from "./answer-meter.ts";
import type { AskWork } from "./ask-tokens.ts";
import { recordOf } from "./asks/record-of.ts";
import { type AskState, checkChange } from "./asks/state.ts";
import { type Retry, Tries } from "./asks/tries.ts";
import type { AskRecord } from "./record.ts";
import type { Priority } from "./routing/priority.ts";
import type {
  AgentIdentity,
  AskRequest,
  AskResult,
  Delta,
  ModelAnswer,
  ModelRequest,
  Signal,
} from "./types.ts";

/** An ask from its arrival until its one outcome. Nothing else changes its state. */
export class Ask {
  readonly #result = Promise.withResolvers<AskResult>();
  /** Resolves with the answer, or rejects with an `AppError`. */
  readonly result = this.#result.promise;
  #state: AskState = "new";
  #stopWaiting: Cancel | undefined;
  #stopHolding: Cancel | undefined;
  #work: AskRequest["work"];
  #waitingSince = 0;
  /** The id of the agent that has the most of it cached, if one is known. */
  preferred: string | undefined;
  /** Whether it has waited for a better agent, as it does once. */
  wasHeld = false;
  /** Whether it has waited for the pong of a better agent, as it does once. */
  wasPinged = false;
  #tries = 0;
  #failed: Tries | undefined;
  /** The id of the ticket with which it waits for the agents of other nodes, too. */
  ticketId: string | undefined;
  /** The agent that had the ask last, the slot it had there, what it was sent, and the model it was to use. */
  #agent: AgentIdentity | undefined;
  #slotId = "";
  #sent: AskWork["request"];
  #model: string | undefined;
  #firstSentAt = 0;
  #sentAt: number | undefined;
  #firstByteAt: number | undefined;
  #isAffine: boolean | undefined;
  #deltas = 0;
  #deltaLength = 0;
  readonly #meter = new AnswerMeter();
  readonly #end = new StreamEnd();

  /** It arrived at `beganAt`, in milliseconds since 1970 as all moments. `order` is its number in that order. */
  constructor(
    readonly request: AskRequest,
    readonly beganAt: number,
    readonly order = 0,
  ) {
    this.#work = request.work;
  }

  /** The work to do: that of the request, or the same with a fallback model. */
  get work(): AskRequest["work"] {
    return this.#work;
  }

  get priority(): Priority {
    return this.request.priority ?? "normal";
  }

  get principal(): Principal {
    return this.request.principal;
  }

  /** The model that was asked for, or that the agent uses; undefined while neither is known. */
  get model(): string | undefined {
    return this.#work.model ?? this.#model;
  }

  get isWaiting(): boolean {
    return this.#state === "waiting";
  }

  /** Whether no agent failed it with its present model. */
  get isUntried(): boolean {
    return this.#failed?.isEmpty ?? true;
  }

  /** Whether it is another node's: see `TicketAsk`. */
  get isTicket(): boolean {
    return false;
  }

  get firstByteAt(): number | undefined {
    return this.#firstByteAt;
  }

  /** How long it has waited for an agent, this time. */
  waitedMs(now: number): number {
    return this.isWaiting ? now - this.#waitingSince : 0;
  }

  /** The agent and the slot that have the ask now. */
  get place(): { agentId: string; slotId: string } | undefined {
    if (this.#state !== "sent" || !this.#agent) return undefined;
    return { agentId: this.#agent.id, slotId: this.#slotId };
  }

  /** Why the last try failed. */
  get failure(): AppError | undefined {
    return this.#failed?.failure;
  }

  /** The agents whose tries failed, and whether they may get it again. */
  get tried(): ReturnType<Tries["list"]> {
    return this.#failed?.list() ?? [];
  }

  /** Whether the last try was lost, not refused, so that it is worth waiting for an agent to come back. */
  get isRepeatable(): boolean {
    return this.#failed?.isRepeatable ?? true;
  }

  /** Whether the agent may get the ask again if it had it: its last try was lost, not refused. */
  isRepeatableAt(agentId: string): boolean {
    return this.#failed?.isRepeatableAt(agentId) ?? true;
  }

  /**
   * Whether it may be sent once more, `withinMs` after it was first sent at the latest. An agent that refused it
   * never gets it again, so the number of agents bounds the tries too. A follow-up is never sent twice: its only
   * agent may have added the question to the text already.
   */
  mayBeRetried(now: number, withinMs: number): boolean {
    const mayGoOn = this.#failed?.mayGoOn(this.request.pin !== undefined) ?? this.request.pin === undefined;
    return mayGoOn && now - this.#firstSentAt <= withinMs;
  }

  hasFailedAt(agentId: string): boolean {
    return this.#failed?.hasFailedAt(agentId) ?? false;
  }

  /** Calls `onGone` when the signal aborts before the ask is settled. */
  listen(signal: Signal, onGone: () => void): void {
    signal.addEventListener("abort", () => {
      if (this.#state !== "settled") onGone();
    });
  }

  /** Begins to wait for a slot, for `limitMs` at most. */
  wait(clock: Clock, limitMs: number, onLimit: () => void): void {
    this.beginWait(clock.now());
    this.#stopWaiting = clock.after(limitMs, onLimit);
  }

  protected beginWait(since: number): void {
    this.#enter("waiting");
    this.#waitingSince = since;
  }

  /** Waits for a better agent, for `limitMs` at most. */
  hold(clock: Clock, limitMs: number, onLimit: () => void): void {
    this.release();
    this.#stopHolding = clock.after(limitMs, onLimit);
  }

  /** Waits for no better agent any more. */
  release(): void {
    this.#stopHolding?.();
    this.#stopHolding = undefined;
  }

  /**
   * Goes on with its next fallback model that is offered, which agents may get that failed it with the one before.
   * Returns false if there is none.
   */
  fallBack(isOffered: (model: string) => boolean): boolean {
    const { fallbacks = [] } = this.#work;
    const index = this.request.pin === undefined ? fallbacks.findIndex(isOffered) : -1;
    const model = fallbacks[index];
    if (model === undefined) return false;
    this.#work = { ...this.#work, model, fallbacks: fallbacks.slice(index + 1) };
    this.#failed?.forget();
    return true;
  }

  /** Notes that the agent is sent the request, for this model. */
  send(agent: AgentIdentity, slotId: string, sent: Pick<AskWork, "request" | "model">, now: number): void {
    this.#enter("sent");
    this.#stopTimers();
    if (this.#tries++ === 0) this.#firstSentAt = now;
    this.#agent = agent;
    this.#slotId = slotId;
    this.#sent = sent.request;
    this.#model = sent.model;
    this.#sentAt = now;
    this.#isAffine = this.preferred === undefined ? undefined : this.preferred === agent.id;
    this.request.onSent?.({
      agentId: agent.id,
      agentName: agent.key?.showsName ? agent.name : undefined,
      model: this.#model,
      tries: this.#tries,
      queueMs: now - this.beganAt,
      isAffine: this.#isAffine,
    });
  }

  /** Whether the deltas together would be longer than `lengthMax` with this one. */
  isTooLongWith({ data }: Delta, lengthMax: number): boolean {
    return this.#deltaLength + data.length > lengthMax;
  }

  /** Its agent has begun to work on it (`accept`), or says that the upstream still does (`alive`). */
  progressed(_kind: "accept" | "alive", _slotId: string): void {}

  /** Passes the delta on. Returns whether the answer is complete, though the agent has not said so. */
  delta(delta: Delta, request: ModelRequest | undefined, now: number): boolean {
    this.#firstByteAt ??= now;
    this.#deltas++;
    this.#deltaLength += delta.data.length;
    this.#meter.note(delta);
    this.#end.note(delta.data);
    this.request.onDelta?.(delta, request);
    return this.#end.complete;
  }

  /** The streamed answer, if all of it has come. */
  get wholeStream(): ModelAnswer | undefined {
    if (!this.#end.complete) return undefined;
    return { kind: "model", status: 200, body: undefined, usage: this.#meter.usage };
  }

  /** Notes that the agent that has the ask lost or refused it. */
  failTry(error: AppError, retry: Retry): void {
    this.#failed ??= new Tries();
    this.#failed.note(this.#agent, (this.#sentAt ?? this.beganAt) - this.beganAt, error, retry);
  }

  /** Notes the tries that another node knows of. */
  protected recall(tried: Parameters<Tries["recall"]>[0], isRepeatable: boolean): void {
    if (tried.length === 0 && isRepeatable) return;
    this.#failed = new Tries();
    this.#failed.recall(tried, isRepeatable);
  }

  /** Tells the caller the outcome, and returns the record; undefined when the ask was settled before. */
  settle(outcome: AskResult | AppError, now: number): AskRecord | undefined {
    if (this.#state === "settled") return undefined;
    const isAtAgent = this.#state === "sent";
    this.#enter("settled");
    this.#stopTimers();
    if (outcome instanceof AppError) this.#result.reject(outcome);
    else this.#result.resolve(outcome);
    return this.#recordOf(outcome, isAtAgent, now);
  }

  #enter(state: AskState): void {
    checkChange(this.#state, state);
    this.#state = state;
  }

  #stopTimers(): void {
    this.release();
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
  }

  #recordOf(outcome: AskResult | AppError, isAtAgent: boolean, now: number): AskRecord {
    const sent = { request: this.#sent, model: this.#model ?? "", isAtAgent, meter: this.#meter };
    const course = {
      agent: this.#agent,
      // A fallback that no agent could try is not what failed.
      model: this.#model ?? this.#work.model,
      failures: this.#failed?.failures,
      isAffine: this.#isAffine,
      beganAt: this.beganAt,
      tries: this.#tries,
      sentAt: this.#sentAt,
      firstByteAt: this.#firstByteAt,
      endedAt: now,
      deltas: this.#deltas,
      deltaLength: this.#deltaLength,
    };
    return recordOf(this.request, course, outcome, sent);
  }
}
