import { AppError } from "../../errors.ts";
import { Ask } from "../ask.ts";
import type { Retry } from "../asks/tries.ts";
import type { FailedTry, HeldAgent, Ticket, TicketNode } from "../peers.ts";
import type { AskRecord } from "../record.ts";
import type { AgentIdentity, AskRequest, AskResult, Delta, ModelRequest, Work } from "../types.ts";

/** Another node's ask, as its ticket tells it, without content. Its outcome goes to that node, which retries and records. */
export class TicketAsk extends Ask {
  /** Whether its node has not taken the slot yet: no agent was sent anything. */
  isHeld = true;
  /** The id of the slot that it has, or had. */
  slotId: string | undefined;
  #how: FailedTry = { isRetryable: false, isRepeatable: false };
  #isGiven = false;

  constructor(
    readonly ticket: Ticket,
    readonly node: TicketNode,
    now: number,
    private readonly on: { sent(ask: TicketAsk, slotId: string): void; ended(ask: TicketAsk): void },
  ) {
    const beganAt = now - ticket.waitedMs;
    super(requestOf(ticket), beganAt, beganAt);
    this.recall(ticket.tried, ticket.isRepeatable);
    // Nobody waits for it here.
    this.result.catch(() => {});
    // Its own node decides how long it waits for a better agent.
    this.wasHeld = true;
    this.wasPinged = true;
  }

  override get isTicket(): boolean {
    return true;
  }

  /** Its own node ends its wait. */
  override wait(): void {
    this.beginWait(this.beganAt);
  }

  override send(agent: AgentIdentity, slotId: string, sent: Parameters<Ask["send"]>[2], now: number): void {
    super.send(agent, slotId, sent, now);
    this.slotId = slotId;
    this.on.sent(this, slotId);
  }

  /** Offers its node the slot that is held for it. */
  offer(held: HeldAgent): void {
    if (this.place) this.node.offer(this.ticket.id, this.place.slotId, held);
  }

  override progressed(kind: "accept" | "alive", slotId: string): void {
    this.node[kind](slotId);
  }

  override delta(delta: Delta, request: ModelRequest | undefined, now: number): boolean {
    const isComplete = super.delta(delta, request, now);
    if (this.place) this.node.delta(this.place.slotId, delta);
    return isComplete;
  }

  override failTry(_error: AppError, retry: Retry): void {
    const isRepeatable = retry === "anywhere";
    this.#how = { isRetryable: retry !== "nowhere", isRepeatable, ...(this.isHeld && { isUnsent: true }) };
  }

  override mayBeRetried(): boolean {
    return false;
  }

  /** Its node has given up the slot, or the ticket, and gets no more news of it. */
  give(): void {
    this.#isGiven = true;
  }

  override settle(outcome: AskResult | AppError, now: number): AskRecord | undefined {
    const { place } = this;
    const record = super.settle(outcome, now);
    if (!record) return undefined;
    this.on.ended(this);
    if (!place || this.#isGiven) return record;
    if (outcome instanceof AppError) this.node.fail(place.slotId, outcome, this.#how);
    else this.node.done(place.slotId, outcome.answer);
    return record;
  }
}

const NO_QUESTION = { message_id: "", conversation_id: "", parent_id: "", content: "" };
const NO_ORIGIN = { requestId: "", surface: "" };

function requestOf({ principal, priority, pin, prefer, tags, ...rest }: Ticket): AskRequest {
  const { model, models, isForV1, requests } = rest;
  const work: Work = {
    ...{ model, models, v1: isForV1 ? NO_QUESTION : undefined },
    requests: requests.map((request) => ({ ...request, body: () => "" })),
  };
  return { principal, priority, pin, prefer, tags, work, origin: NO_ORIGIN };
}
