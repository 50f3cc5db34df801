import type { AgentKey } from "../auth/agent-keys.ts";
import type { Cancel, Clock } from "../clock.ts";
import type { AgentTransport } from "../protocol/agent-transport.ts";
import type { Claim, Model } from "../protocol/agent-v2.ts";
import { writePiece } from "../protocol/bytes/pieces.ts";
import type { Piece } from "../protocol/bytes/window.ts";
import { CLOSE, type CloseReason } from "../protocol/close.ts";
import type { Agent } from "../relay/agent.ts";
import type { Relay } from "../relay/relay.ts";
import type { AgentCommand, AgentIdentity, AgentProfile, SentBytes, Transport } from "../relay/types.ts";
import { HeldFrames } from "./held-frames.ts";
import { preferenceOf } from "./preference.ts";
import type { SocketLease } from "./socket-limit.ts";

/** The part of an agent's WebSocket that a connection needs. */
export interface AgentSocket {
  /** Returns the bytes sent, -1 if the text waits until the socket has drained, 0 if the text was dropped. */
  sendText(text: string): number;
  /** Sends a binary frame, with the same result. A carrier without them has no such function. */
  sendBinary?(bytes: Uint8Array<ArrayBuffer>): number;
  /** Returns how many bytes wait because the socket does not take more. */
  getBufferedAmount(): number;
  close(code: number, reason: string): void;
}

/** The dependencies of all connections of a server. */
export interface ConnectionOptions {
  relay: Relay;
  clock: Clock;
  newId: () => string;
  helloWithinMs: number;
  /** Undefined on a single server. */
  claims?: IdClaims | undefined;
}

/** Decides about ids that agents of other nodes have. */
export interface IdClaims {
  /**
   * Resolves with whether the newcomer may have its id: `unanswered` if the node that has it does not say so in time.
   * Undefined if it may register at once.
   */
  claim(newcomer: AgentIdentity): Promise<"free" | "in_use" | "unanswered"> | undefined;
}

/** The part of a profile that an agent says of itself in its hello. */
type Hello = Omit<AgentProfile, "address" | "key" | "preference" | "transport">;

/** A request to register that was let in. */
export interface AdmittedAgent {
  /** The key that admitted the agent; undefined if none was needed. */
  key: AgentKey | undefined;
  address: string;
  lease: SocketLease;
  /** The carrier of the messages. */
  transport: AgentTransport;
}

/**
 * An agent's WebSocket with its protocol state, from the upgrade until the socket is closed. The agent must
 * say hello in time, and is registered from then on. A subclass for each protocol reads the frames and writes
 * the commands.
 */
export abstract class AgentConnection<Options extends ConnectionOptions = ConnectionOptions>
  implements Transport
{
  abstract readonly protocol: "v1" | "v2";
  /** The registered agent; undefined before its hello. */
  protected agent: Agent | undefined;
  /** Undefined before the upgrade is done, and once the socket is closed. */
  #socket: AgentSocket | undefined;
  #stopHelloTimer: Cancel | undefined;
  /** How the agent wants to be chosen. */
  #claim: Claim = {};
  /** The frames that came while another node is asked about the agent's id. */
  #held: HeldFrames | undefined;
  #sentBytes = 0;
  /** Up to where the frames reach to which an answer is awaited, and those that the agent has read. */
  #markedBytes = 0;
  #readBytes = 0;

  constructor(
    protected readonly options: Options,
    readonly admitted: AdmittedAgent,
  ) {}

  abstract send(command: AgentCommand): boolean;

  /** Reads a frame of the protocol. */
  protected abstract frame(text: string): void;

  protected get isOpen(): boolean {
    return this.#socket !== undefined;
  }

  /** Reads a frame, unless the connection is closed. */
  receive(text: string): void {
    if (!this.isOpen) return;
    if (!this.#held) this.frame(text);
    else if (!this.#held.add(text)) this.close("frames_bad");
  }

  /** Reads a binary frame. Agents may send text in one. */
  receiveBytes(message: Uint8Array): void {
    this.receive(new TextDecoder().decode(message));
  }

  /** The upgrade is done. */
  open(socket: AgentSocket): void {
    const { clock, helloWithinMs } = this.options;
    this.#socket = socket;
    this.#stopHelloTimer = clock.after(helloWithinMs, () => this.close("hello_missing"));
  }

  /** The socket was full and has drained. */
  drained(): void {
    // The runtime also tells when a part of a large frame was taken.
    if (this.agent && this.#socket?.getBufferedAmount() === 0) this.relay.writable(this.agent, true);
  }

  /** The agent is not there to take anything just now. It gets no asks until `drained` is called. */
  stalled(): void {
    if (this.agent) this.relay.writable(this.agent, false);
  }

  /** Closes the socket. The detail follows the reason. */
  close(reason: CloseReason, detail?: string): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = undefined;
    this.#stopHello();
    socket.close(CLOSE[reason].code, closeText(reason, detail));
  }

  /** Closes the socket now. The agent's asks move on or fail, as if the connection were lost. */
  end(reason: CloseReason): void {
    // The relay comes first: the runtime calls `closed` from within the socket's `close`.
    this.lost(reason);
    this.close(reason);
  }

  /** Closes the socket because of a frame; the detail says what is wrong with the frame. */
  protected refuse(reason: CloseReason, detail?: string): void {
    this.close(reason, detail);
    this.lost();
  }

  /** The socket is closed, by whichever side. */
  closed(): void {
    this.#socket = undefined;
    this.#stopHello();
    this.admitted.lease.end();
    this.lost();
  }

  protected get relay(): Relay {
    return this.options.relay;
  }

  /** The agent, if it is registered, can no longer be reached. */
  protected lost(reason?: CloseReason): void {
    if (this.agent) this.relay.gone(this.agent, reason);
  }

  /** The agent has said hello. If its id is in use, the connection is closed. */
  protected register(hello: Hello, claim: Claim = {}): void {
    const { address, key, lease } = this.admitted;
    this.#stopHello();
    lease.identified();
    this.#claim = claim;
    const claimed = this.options.claims?.claim({ ...hello, address, key });
    if (claimed !== undefined) void this.#joinLater(hello, claimed);
    else this.#join(hello);
  }

  #join(hello: Hello): void {
    const { address, key, transport } = this.admitted;
    const models = modelsOfKey(hello.models, key);
    const preference = preferenceOf(this.#claim, key);
    this.agent = this.relay.join({ ...hello, models, address, key, transport, preference }, this);
    if (!this.agent) this.close("id_in_use");
  }

  /** Another node decides whether the agent may have its id. Its frames wait meanwhile. */
  async #joinLater(hello: Hello, claimed: NonNullable<ReturnType<IdClaims["claim"]>>): Promise<void> {
    const held = new HeldFrames();
    this.#held = held;
    const verdict = await claimed;
    this.#held = undefined;
    if (!this.isOpen) return;
    // A key shows that it is no stranger who takes the id of an agent that cannot be asked.
    const isKnown = this.admitted.key !== undefined || hello.resumed === true;
    if (verdict === "in_use") this.close("id_in_use");
    else if (verdict === "unanswered" && !isKnown) this.close("id_unconfirmed");
    else this.#join(hello);
    for (const text of held.texts) this.receive(text);
  }

  /** The agent wants to be chosen in another way; what is missing stays as it was. */
  protected claims({ priority, weight, tags }: Claim): void {
    if (priority === undefined && weight === undefined && tags === undefined) return;
    const before = this.#claim;
    this.#claim = {
      priority: priority ?? before.priority,
      weight: weight ?? before.weight,
      tags: tags ?? before.tags,
    };
    this.#prefer();
  }

  /** The administrator has changed what the agent's key says. */
  keyChanged(key: AgentKey): void {
    this.admitted.key = key;
    if (!this.agent) return;
    this.agent.profile.key = key;
    this.#prefer();
  }

  #prefer(): void {
    if (this.agent) this.relay.prefer(this.agent, preferenceOf(this.#claim, this.admitted.key));
  }

  sentBytes(): SentBytes {
    const buffered = this.#socket?.getBufferedAmount() ?? 0;
    return { total: this.#sentBytes, buffered, read: this.#readBytes };
  }

  /** Returns false if the frame cannot be sent. */
  protected write(frame: object): boolean {
    const text = JSON.stringify(frame);
    const bytes = this.#socket?.sendText(text) ?? 0;
    this.#sentBytes += bytes < 0 ? Buffer.byteLength(text) : bytes;
    if (bytes < 0 && this.agent) this.relay.writable(this.agent, false);
    return bytes !== 0;
  }

  /** Sends bytes of a body. While some of them wait for the socket, the agent gets asks all the same. */
  protected writePiece(piece: Piece): boolean {
    const message = writePiece(piece);
    const bytes = this.#socket?.sendBinary?.(message) ?? 0;
    this.#sentBytes += bytes < 0 ? message.byteLength : bytes;
    return bytes !== 0;
  }

  /** The agent will answer the frame that was just sent, and shows by it that it has read all up to there. */
  protected markSent(): void {
    this.#markedBytes = this.#sentBytes;
  }

  /** The agent has read all frames up to the mark. */
  protected markRead(): void {
    this.#readBytes = this.#markedBytes;
  }

  /** Forgets the timer, which would otherwise be kept for as long as the agent is connected. */
  #stopHello(): void {
    this.#stopHelloTimer?.();
    this.#stopHelloTimer = undefined;
  }
}

/** Returns the models that the agent's key lets it offer. */
export function modelsOfKey(models: readonly Model[], key: AgentKey | undefined): readonly Model[] {
  const allowed = key?.models;
  return allowed ? models.filter(({ id }) => allowed.includes(id)) : models;
}

/** RFC 6455 §5.5: a control frame has at most 125 bytes, two of which are the code. */
const REASON_BYTES_MAX = 123;

/** Returns the reason with the detail after it, cut between two characters to fit into a close frame. */
export function closeText(reason: CloseReason, detail?: string): string {
  const text = CLOSE[reason].reason;
  if (detail === undefined) return text;
  const detailed = `${text}: ${detail.toWellFormed()}`;
  const { read } = new TextEncoder().encodeInto(detailed, new Uint8Array(REASON_BYTES_MAX));
  return detailed.slice(0, read);
}
