import type { Clock } from "../../clock.ts";
import { AppError } from "../../errors.ts";
import type { AddedField } from "../../protocol/added-fields.ts";
import { hasByteAnswer } from "../../protocol/endpoints.ts";
import type { FrameOf, NodeFrame } from "../../protocol/node/frames.ts";
import { lostError, sendError } from "../../relay/agent.ts";
import type { FailedTry, HeldAgent, NodeRelay, TicketNode } from "../../relay/peers.ts";
import type { Answer, Delta } from "../../relay/types.ts";
import type { Link, NodeInfo } from "../part.ts";
import { errorFields } from "./error-fields.ts";
import { HeldBytes } from "./held-bytes.ts";
import { agentFields, answerFields, originOf, requestOf } from "./run-fields.ts";
import { ticketOf } from "./ticket-fields.ts";

interface HeldSlotsOptions {
  link: Pick<Link, "send">;
  clock: Pick<Clock, "now">;
  relay: () => NodeRelay;
  /** Returns the key of the group of an agent of this node. */
  groupOf: (agentId: string) => string | undefined;
}

/** The tickets of one node. More are ignored: no node lets so many asks wait by default. */
const TICKETS_MAX = 20_000;

/** How much of a streamed answer, and of all those for one node, that node may not have confirmed yet. */
const STREAM_LENGTH_MAX = 8 * 1024 * 1024;
const NODE_LENGTH_MAX = 64 * 1024 * 1024;

/** The relay has given up a slot that was not taken for this long. */
const FORGOTTEN_MS = 10_000;

/** The ask ends, as its answer cannot be passed on. */
const GIVEN_UP: FailedTry = { isRetryable: false, isRepeatable: false };

interface Held {
  node: NodeTickets;
  isRunning: boolean;
  /** The lengths of the deltas that were sent, and that the node has confirmed. */
  sent: number;
  passed: number;
  /** Those of an ask that may be answered in bytes. */
  bytes: HeldBytes | undefined;
  /** Takes the body that the node was asked for. */
  takeBody: ((body: string | undefined) => void) | undefined;
}

/** A node whose asks wait here, as the relay sees it. */
interface NodeTickets extends TicketNode {
  tickets: Set<string>;
  slots: Set<string>;
  /** The length of all deltas that the node has not confirmed. */
  unconfirmed: number;
}

/** The home's side: the asks of other nodes that wait for agents of this one, and the slots that are held for them. */
export class HeldSlots {
  readonly #nodes = new Map<string, NodeTickets>();
  /** The nodes by the tickets that they have here. */
  readonly #tickets = new Map<string, NodeTickets>();
  readonly #slots = new Map<string, Held>();
  /** Those that nobody has taken, with the time of the offer. The oldest first. */
  readonly #open = new Map<string, { held: Held; at: number }>();

  constructor(private readonly options: HeldSlotsOptions) {}

  /** How many asks of other nodes wait here, and how many slots they hold or use. */
  get size(): { tickets: number; slots: number } {
    return { tickets: this.#tickets.size, slots: this.#slots.size };
  }

  join({ id }: NodeInfo): void {
    this.#nodes.set(id, this.#nodeOf(id));
  }

  /** The node is lost. The relay frees the slots itself. */
  lose({ id }: NodeInfo): void {
    const node = this.#nodes.get(id);
    this.#nodes.delete(id);
    for (const ticketId of node?.tickets ?? []) this.#tickets.delete(ticketId);
    for (const slotId of node?.slots ?? []) {
      this.#slots.get(slotId)?.bytes?.end();
      this.#slots.delete(slotId);
      this.#open.delete(slotId);
    }
  }

  /* What the node sends. */

  seek(from: NodeInfo, { ticket }: FrameOf<"seek">): void {
    const node = this.#nodes.get(from.id);
    if (!node || this.#tickets.has(ticket.id)) return;
    if (node.tickets.size >= TICKETS_MAX) {
      this.#relay.ignored();
      return;
    }
    node.tickets.add(ticket.id);
    this.#tickets.set(ticket.id, node);
    this.#relay.seek(ticketOf(ticket), node);
  }

  forget(from: NodeInfo, { ticket, taken }: FrameOf<"forget">): void {
    const node = this.#nodes.get(from.id);
    if (!node?.tickets.delete(ticket)) return;
    this.#tickets.delete(ticket);
    this.#relay.forget(ticket, taken);
  }

  run(from: NodeInfo, { slot, what, model, origin }: FrameOf<"run">): void {
    const held = this.#heldBy(from, slot);
    if (!held) {
      // Its ask must not wait for an answer that does not come.
      const error = errorFields(lostError("its slot was no longer held"));
      this.#send(from.id, { kind: "fail", slot, error, retryable: true, repeatable: true, unsent: true });
      return;
    }
    if (held.isRunning) {
      this.#relay.ignored();
      return;
    }
    held.isRunning = true;
    this.#open.delete(slot);
    held.bytes = this.#bytesOf(from.id, slot, what);
    const { upload } = held.bytes ?? {};
    const request = requestOf(what, (fields, take) => this.#askBody(slot, fields, take), upload);
    this.#relay.run(held.node, slot, request, model, originOf(origin));
  }

  give(from: NodeInfo, { slot }: FrameOf<"give">): void {
    const held = this.#heldBy(from, slot);
    if (!held) return;
    this.#end(slot, held);
    this.#relay.give(slot);
  }

  /** The node has passed on this much of the answer. */
  ack(from: NodeInfo, { slot, bytes }: FrameOf<"ack">): void {
    const held = this.#heldBy(from, slot);
    if (!held) return;
    const passed = Math.min(Math.max(bytes, held.passed), held.sent);
    held.node.unconfirmed -= passed - held.passed;
    held.passed = passed;
  }

  /** Bytes of the body of an ask. Those that nobody announced, or gave credit for, end it. */
  bytes(from: NodeInfo, frame: FrameOf<"bytes">): void {
    const held = this.#heldBy(from, frame.slot);
    if (held && held.bytes?.push(frame) !== true) this.#relay.ignored();
  }

  /** The node has taken bytes of an answer. */
  credit(from: NodeInfo, { slot, bytes }: FrameOf<"credit">): void {
    this.#heldBy(from, slot)?.bytes?.credit(bytes);
  }

  /** Whether the slot is one of this node's. */
  has = (slot: string): boolean => this.#slots.has(slot);

  again(from: NodeInfo, { slot, body }: FrameOf<"again">): void {
    const held = this.#heldBy(from, slot);
    const take = held?.takeBody;
    if (!held || !take) {
      this.#relay.ignored();
      return;
    }
    held.takeBody = undefined;
    take(body);
  }

  get #relay(): NodeRelay {
    return this.options.relay();
  }

  /** Returns false if too much waits for the node. */
  #send(nodeId: string, frame: NodeFrame): boolean {
    return this.options.link.send(nodeId, frame);
  }

  /** Returns the slot if the node has it. What is sent for any other is for nobody. */
  #heldBy(from: NodeInfo, slotId: string): Held | undefined {
    const held = this.#slots.get(slotId);
    if (held?.node.id === from.id) return held;
    this.#relay.ignored();
    return undefined;
  }

  #bytesOf(nodeId: string, slot: string, what: FrameOf<"run">["what"]): HeldBytes | undefined {
    if (!("endpoint" in what) || !hasByteAnswer(what.endpoint)) return undefined;
    return new HeldBytes(slot, (frame) => this.#send(nodeId, frame), what.upload);
  }

  #askBody(slot: string, fields: ReadonlySet<AddedField>, take: (body: string | undefined) => void): void {
    const held = this.#slots.get(slot);
    if (!held) return;
    held.takeBody = take;
    this.#send(held.node.id, { kind: "refused", slot, fields: [...fields] });
  }

  /* What the relay says to the node. */

  #nodeOf(id: string): NodeTickets {
    const to = (slotId: string, frame: NodeFrame) => {
      if (this.#slots.get(slotId)?.node.id === id) this.#send(id, frame);
    };
    const node: NodeTickets = {
      ...{ id, tickets: new Set<string>(), slots: new Set<string>(), unconfirmed: 0 },
      offer: (ticketId, slotId, held) => this.#offer(node, ticketId, slotId, held),
      accept: (slot) => to(slot, { kind: "accept", slot }),
      alive: (slot) => to(slot, { kind: "alive", slot }),
      delta: (slot, delta) => this.#delta(slot, delta),
      done: (slot, answer) => this.#done(slot, answer),
      fail: (slot, error, how) => this.#fail(slot, error, how),
    };
    return node;
  }

  #offer(node: NodeTickets, ticket: string, slot: string, { profile, model, endpoint }: HeldAgent): void {
    if (this.#nodes.get(node.id) !== node) return;
    this.#forgetOld();
    const held: Held = {
      ...{ node, isRunning: false, sent: 0, passed: 0, bytes: undefined, takeBody: undefined },
    };
    node.slots.add(slot);
    this.#slots.set(slot, held);
    this.#open.set(slot, { held, at: this.options.clock.now() });
    const group = this.options.groupOf(profile.id);
    const tags = profile.preference?.tags ?? [];
    this.#send(node.id, {
      ...{ kind: "offer", ticket, slot, model, agent: agentFields(profile) },
      ...(group !== undefined && { group }),
      ...(tags.length > 0 && { tags: [...tags] }),
      ...(endpoint !== undefined && { endpoint }),
    });
  }

  #delta(slot: string, { data, event, head, piece }: Delta): void {
    const held = this.#slots.get(slot);
    if (!held) return;
    if (head || piece) {
      const isSent = head ? held.bytes?.head(head) : piece && held.bytes?.piece(piece);
      if (isSent !== true) this.#giveUp(slot);
      return;
    }
    const { node } = held;
    held.sent += data.length;
    node.unconfirmed += data.length;
    const isTooMuch = held.sent - held.passed > STREAM_LENGTH_MAX || node.unconfirmed > NODE_LENGTH_MAX;
    const frame: NodeFrame = { kind: "delta", slot, data, ...(event !== undefined && { event }) };
    if (isTooMuch || !this.#send(node.id, frame)) this.#giveUp(slot);
  }

  #giveUp(slot: string): void {
    this.#fail(slot, new AppError("caller_gone"), GIVEN_UP);
    this.#relay.give(slot);
  }

  #done(slot: string, answer: Answer): void {
    const held = this.#slots.get(slot);
    if (!held) return;
    const frame: NodeFrame = { kind: "done", slot, answer: answerFields(answer) };
    if (this.#send(held.node.id, frame)) this.#end(slot, held);
    else this.#fail(slot, sendError(), GIVEN_UP);
  }

  #fail(slot: string, error: AppError, { isRetryable, isRepeatable, isUnsent }: FailedTry): void {
    const held = this.#slots.get(slot);
    if (!held) return;
    this.#end(slot, held);
    const how = { retryable: isRetryable, repeatable: isRepeatable, ...(isUnsent && { unsent: true }) };
    const frame = { kind: "fail", slot, error: errorFields(error), ...how } as const;
    // What the upstream said may be what is too large.
    if (!this.#send(held.node.id, frame)) this.#send(held.node.id, { ...frame, error: { code: error.code } });
  }

  #end(slot: string, { node, sent, passed, bytes }: Held): void {
    bytes?.end();
    node.unconfirmed -= sent - passed;
    node.slots.delete(slot);
    this.#slots.delete(slot);
    this.#open.delete(slot);
  }

  /** Forgets slots that the relay has given up, as nobody has taken them. */
  #forgetOld(): void {
    const since = this.options.clock.now() - FORGOTTEN_MS;
    for (const [slot, { held, at }] of this.#open) {
      if (at > since) return;
      this.#end(slot, held);
    }
  }
}
