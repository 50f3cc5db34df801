import { BoundedMap } from "../../bounded-map.ts";
import type { Clock } from "../../clock.ts";
import { HOUR_MS } from "../../durations.ts";
import { AppError } from "../../errors.ts";
import { type AddedField, mayRefuseField } from "../../protocol/added-fields.ts";
import { freeBytes } from "../../protocol/bytes/free-bytes.ts";
import type { Piece } from "../../protocol/bytes/window.ts";
import { hasByteAnswer } from "../../protocol/endpoints.ts";
import type { FrameOf, NodeFrame } from "../../protocol/node/frames.ts";
import { type Agent, sendError } from "../../relay/agent.ts";
import { ByteAsks } from "../../relay/bytes/byte-asks.ts";
import type { NodeRelay } from "../../relay/peers.ts";
import type { AgentCommand, Answer, ModelRequest, SentBytes, Transport } from "../../relay/types.ts";
import type { Link, NodeInfo } from "../part.ts";
import { errorOf } from "./error-fields.ts";
import { addedOf, answerOf, heldOf, runFrame } from "./run-fields.ts";

interface LentSlotsOptions {
  link: Pick<Link, "nodes" | "send" | "bufferedBytes">;
  clock: Pick<Clock, "now">;
  relay: () => NodeRelay;
}

/** A node gets an `ack` each time this much of an answer was passed on. */
const ACK_LENGTH = 256 * 1024;

/** While this much waits for a node in this process, it gets no more asks. */
const BUFFERED_MAX = 64 * 1024 * 1024;

/** For how many agents and models it is remembered which fields are refused, and for how long. */
const REFUSED_MAX = 10_000;
const REFUSED_MS = HOUR_MS;

const NONE: ReadonlySet<AddedField> = new Set();

/** Nothing that is sent to another node tells whether the agent has read it. */
const NOTHING_WAITS: SentBytes = { total: 0, buffered: 0, read: 0 };

type AskCommand = Extract<AgentCommand, { kind: "ask" }>;

/** A slot of another node that is offered to this one, or has an ask of it. */
interface Lent {
  nodeId: string;
  agentId: string;
  /** The ask in it; undefined until it is taken. */
  command: AskCommand | undefined;
  /** The fields that its body does not have. */
  without: ReadonlySet<AddedField>;
  /** The lengths of the deltas that were passed on, and of those that were confirmed. */
  passed: number;
  confirmed: number;
}

/** The side of the ask: sends asks of this node to slots that other nodes hold, and takes what comes back. */
export class LentSlots {
  /** How many asks were sent to other nodes, and how many of them were lost with their nodes. */
  lent = 0;
  lost = 0;
  readonly #slots = new Map<string, Lent>();
  /** The fields that agents refuse, by agent, endpoint and model. */
  readonly #refused = new BoundedMap<string, { fields: ReadonlySet<AddedField>; until: number }>(REFUSED_MAX);
  /** The groups of the agents that were offered lately, by the agents' ids. */
  readonly #bytes: ByteAsks;
  readonly #groups = new BoundedMap<string, { nodeId: string; key: string }>(REFUSED_MAX);

  constructor(private readonly options: LentSlotsOptions) {
    this.#bytes = new ByteAsks({
      giveCredit: (slot, bytes) => void this.#tell(slot, { kind: "credit", slot, bytes }),
      send: (piece) => this.#sendPiece(piece),
      // The other node gives credit for no more than it should hold.
      hasRoom: () => true,
      onTaken: (slot) => this.#with(slot, (agent) => this.#relay.alive(agent, slot)),
      onBroken: (slot, cause) => this.#broken(slot, new AppError("internal", { cause })),
    });
  }

  /** Returns the group of an agent of another node, if it has offered a slot lately. */
  groupOf(agentId: string): { nodeId: string; key: string } | undefined {
    return this.#groups.get(agentId);
  }

  lose({ id }: NodeInfo): void {
    for (const [slotId, { nodeId, command }] of this.#slots) {
      if (nodeId !== id) continue;
      this.#slots.delete(slotId);
      this.#bytes.end(slotId);
      if (command) this.lost++;
    }
  }

  /* What the node of the agent sends. */

  offer(from: NodeInfo, frame: FrameOf<"offer">): void {
    const { ticket, slot, agent, group } = frame;
    if (this.#slots.has(slot)) {
      this.#relay.ignored();
      return;
    }
    if (group !== undefined) this.#groups.set(agent.id, { nodeId: from.id, key: group });
    const { id: nodeId } = from;
    const state = { command: undefined, without: NONE, passed: 0, confirmed: 0 };
    const lent: Lent = { nodeId, agentId: agent.id, ...state };
    this.#slots.set(slot, lent);
    const transport: Transport = {
      sentBytes: () => NOTHING_WAITS,
      send: (command) => this.#command(command, slot, lent),
      close: () => this.#give(slot, lent),
    };
    this.#relay.offered(ticket, slot, { nodeId, held: heldOf(frame, from.name), transport });
    if (!lent.command) this.#give(slot, lent);
  }

  accept(from: NodeInfo, { slot }: FrameOf<"accept">): void {
    const agent = this.#agentOf(from, slot);
    if (agent) this.#relay.accept(agent, slot);
  }

  alive(from: NodeInfo, { slot }: FrameOf<"alive">): void {
    const agent = this.#agentOf(from, slot);
    if (agent) this.#relay.alive(agent, slot);
  }

  delta(from: NodeInfo, { slot, data, event }: FrameOf<"delta">): void {
    const agent = this.#agentOf(from, slot);
    if (!agent) return;
    this.#relay.delta(agent, slot, { data, event });
    const lent = this.#slots.get(slot);
    if (!lent) return;
    lent.passed += data.length;
    if (lent.passed - lent.confirmed < ACK_LENGTH) return;
    lent.confirmed = lent.passed;
    this.#send(from.id, { kind: "ack", slot, bytes: lent.passed });
  }

  /** The answer begins, in bytes. */
  head(from: NodeInfo, { slot, status, content_type: contentType }: FrameOf<"head">): void {
    const agent = this.#agentOf(from, slot);
    if (!agent) return;
    if (this.#bytes.head(slot)) this.#relay.delta(agent, slot, { data: "", head: { status, contentType } });
    else this.#relay.ignored();
  }

  /** Bytes of an answer. */
  bytes(from: NodeInfo, { slot, data }: FrameOf<"bytes">): void {
    const agent = this.#agentOf(from, slot);
    if (!agent) return;
    const piece = this.#bytes.receive({ ask: slot, bytes: data }, () => freeBytes(data));
    if (piece) this.#relay.delta(agent, slot, { data: "", piece });
    else this.#relay.ignored();
  }

  /** The other node has taken bytes of a body. */
  credit(from: NodeInfo, { slot, bytes }: FrameOf<"credit">): void {
    if (this.#agentOf(from, slot) && !this.#bytes.credit(slot, bytes)) this.#relay.ignored();
  }

  /** Whether the slot is lent to this node. */
  has = (slot: string): boolean => this.#slots.has(slot);

  done(from: NodeInfo, { slot, answer }: FrameOf<"done">): void {
    const agent = this.#agentOf(from, slot);
    if (!agent) return;
    this.#end(slot, statusOf(answerOf(answer)));
    this.#relay.done(agent, slot, answerOf(answer));
  }

  fail(from: NodeInfo, { slot, error, retryable, repeatable, unsent }: FrameOf<"fail">): void {
    const agent = this.#agentOf(from, slot);
    if (!agent) return;
    this.#end(slot, error.upstream?.status);
    const how = { isRetryable: retryable, isRepeatable: repeatable, isUnsent: unsent };
    this.#relay.lentFailed(agent, slot, errorOf(error), how);
  }

  /** The upstream refuses some of the fields that this node has added: makes the body without them. */
  refused(from: NodeInfo, { slot, fields }: FrameOf<"refused">): void {
    const lent = this.#agentOf(from, slot) && this.#slots.get(slot);
    const { request, model = "" } = lent?.command ?? {};
    if (!lent || !request || !("endpoint" in request)) return;
    const known = addedOf(fields).filter((field) => request.added?.includes(field));
    const without = lent.without.union(new Set(known));
    if (without.size === lent.without.size) {
      this.#send(from.id, { kind: "again", slot });
      return;
    }
    const before = request.body(model, lent.without);
    const body = request.body(model, without);
    lent.without = without;
    this.#refused.set(keyOf(lent, request), { fields: without, until: this.#now + REFUSED_MS });
    const frame = { kind: "again", slot } as const;
    if (body === before || !this.#send(from.id, { ...frame, body })) this.#send(from.id, frame);
  }

  get #relay(): NodeRelay {
    return this.options.relay();
  }

  get #now(): number {
    return this.options.clock.now();
  }

  /** Returns false if too much waits for the node. */
  #send(nodeId: string, frame: NodeFrame): boolean {
    return this.options.link.send(nodeId, frame);
  }

  /** Returns the agent of the slot if the node has it. What is sent for any other is for nobody. */
  #agentOf(from: NodeInfo, slot: string): Agent | undefined {
    const agent = this.#slots.get(slot)?.nodeId === from.id ? this.#relay.lentAgent(slot) : undefined;
    if (!agent) this.#relay.ignored();
    return agent;
  }

  /** Passes on what the relay says to the agent. */
  #command(command: AgentCommand, slot: string, lent: Lent): boolean {
    if (command.kind === "cancel") this.#give(slot, lent);
    if (command.kind !== "ask") return true;
    const { link } = this.options;
    const { nodeId } = lent;
    if (this.#slots.get(slot) !== lent || lent.command) return false;
    if (!link.nodes.has(nodeId) || link.bufferedBytes(nodeId) > BUFFERED_MAX) {
      this.#give(slot, lent);
      return false;
    }
    lent.command = command;
    if ("endpoint" in command.request) lent.without = this.#withoutFor(lent, command.request);
    this.lent++;
    if (this.#run(command, slot, lent)) return true;
    this.#give(slot, lent);
    return false;
  }

  #run(command: AskCommand, slot: string, { nodeId, without }: Lent): boolean {
    const { request, model } = command;
    const upload = "endpoint" in request ? request.upload?.open(model) : undefined;
    const isSent = this.#send(nodeId, runFrame(command, slot, without, upload));
    if (isSent && "endpoint" in request && hasByteAnswer(request.endpoint)) this.#bytes.begin(slot, upload);
    return isSent;
  }

  /** Sends bytes of a body. If too much waits for the node, the ask ends. */
  #sendPiece({ ask: slot, bytes }: Piece): boolean {
    const isSent = this.#tell(slot, { kind: "bytes", slot, data: bytes });
    if (!isSent) this.#broken(slot, sendError());
    return isSent;
  }

  #broken(slot: string, error: AppError): void {
    this.#with(slot, (agent, lent) => {
      this.#give(slot, lent);
      this.#relay.lentFailed(agent, slot, error, { isRetryable: false, isRepeatable: false });
    });
  }

  #tell(slot: string, frame: NodeFrame): boolean {
    const lent = this.#slots.get(slot);
    return lent !== undefined && this.#send(lent.nodeId, frame);
  }

  #with(slot: string, run: (agent: Agent, lent: Lent) => void): void {
    const [agent, lent] = [this.#relay.lentAgent(slot), this.#slots.get(slot)];
    if (agent && lent) run(agent, lent);
  }

  #withoutFor(lent: Lent, request: ModelRequest): ReadonlySet<AddedField> {
    const known = this.#refused.size === 0 ? undefined : this.#refused.get(keyOf(lent, request));
    if (!known || known.until <= this.#now) return NONE;
    return new Set(request.added?.filter((field) => known.fields.has(field)));
  }

  /** Returns the slot, or cancels what runs in it. Harmless if that is over. */
  #give(slot: string, lent: Lent): void {
    if (this.#slots.get(slot) !== lent) return;
    this.#slots.delete(slot);
    this.#bytes.end(slot);
    this.#send(lent.nodeId, { kind: "give", slot });
  }

  /** The answer has come, or will not. A refusal may be due to another upstream, which wants the fields. */
  #end(slot: string, status: number | undefined): void {
    const lent = this.#slots.get(slot);
    this.#slots.delete(slot);
    this.#bytes.end(slot);
    const request = lent?.command?.request;
    if (!lent || lent.without.size === 0 || status === undefined || !mayRefuseField(status)) return;
    if (request && "endpoint" in request) this.#refused.delete(keyOf(lent, request));
  }
}

const keyOf = ({ agentId, command }: Lent, { endpoint }: ModelRequest): string =>
  `${agentId} ${endpoint} ${command?.model}`;

const statusOf = (answer: Answer): number => (answer.kind === "model" ? answer.status : 200);
