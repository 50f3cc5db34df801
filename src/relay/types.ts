import type { AppError } from "../errors.ts";
import type { Principal } from "../principal.ts";
import type { AddedField } from "../protocol/added-fields.ts";
import type { AgentTransport } from "../protocol/agent-transport.ts";
import type { V1Answer, V1Request } from "../protocol/agent-v1.ts";
import type { Capability, Endpoint, Model, Usage } from "../protocol/agent-v2.ts";
import type { CloseReason } from "../protocol/close.ts";
import type { AskOrigin } from "./record.ts";
import type { AffinityKeys } from "./routing/affinity.ts";
import type { Priority } from "./routing/priority.ts";

/**
 * The part of an `AbortSignal` that the core needs. The listener of an ask stays after its end, as removing it would
 * cost much: a signal must not be that of many asks.
 */
export interface Signal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
}

/** A request to one of the endpoints of a model API. */
export interface ModelRequest {
  endpoint: Endpoint;
  stream: boolean;
  /** The caller's headers that the upstream may want. */
  headers?: Record<string, string>;
  /** The fields that may be taken back, as the server added them to the caller's request. */
  added?: readonly AddedField[];
  /**
   * Returns the body for the model that the chosen agent will use, without the added fields that its upstream
   * refuses.
   */
  body(model: string, refused: ReadonlySet<AddedField>): string;
  /**
   * Asks the node that the request is from, which alone can make bodies, for the body without these fields. `take` gets
   * undefined if it is the same. `body` returns the one that came with the request. Undefined for requests of this node.
   */
  bodyWithout?: (refused: ReadonlySet<AddedField>, take: (body: string | undefined) => void) => void;
  /** The added fields that the body that came from another node does not have. */
  without?: ReadonlySet<AddedField>;
  /** The body, if it is sent as bytes. `body` returns an empty text then. */
  upload?: Upload;
}

/** A body that is sent as bytes, as often as needed. */
export interface Upload {
  contentType: string;
  /** The number of its bytes as it was received. */
  readonly bytes: number;
  /** Opens the body for the model that the chosen agent will use. */
  open(model: string): UploadReader;
}

export interface UploadReader {
  /** The number of all bytes. */
  readonly bytes: number;
  /**
   * Resolves with the next bytes, few enough for one frame, which the next call may overwrite; undefined at the end.
   * Rejects if they cannot be read.
   */
  read(): Promise<Uint8Array | undefined>;
}

/** The work of an ask, as a request for each agent protocol and endpoint that may do it. */
export interface Work {
  /** The model asked for; undefined leaves the choice to the agent. */
  model?: string | undefined;
  /** The models that the caller may use; undefined for all. An agent without them does not get the ask. */
  models?: readonly string[] | undefined;
  /**
   * Further models, in order, by the names that agents know: each is used when no agent offers those before it, or
   * all that do have failed before the first byte. The caller may use them.
   */
  fallbacks?: readonly string[] | undefined;
  v1?: V1Request | undefined;
  /** In order of preference: an agent gets the first whose endpoint it offers. */
  requests?: readonly ModelRequest[] | undefined;
}

export interface AskRequest {
  /** Who asks: principals take turns in the queue. */
  principal: Principal;
  /** The hash of the token that a user sent. The ask ends with the token. */
  tokenHash?: string | undefined;
  /** The id of the only agent that can serve the ask, because it alone has the conversation's text. */
  pin?: string | undefined;
  /** The id of the agent to prefer, because it knows the conversation already. */
  prefer?: string | undefined;
  /** The keys of what agents may have cached of the request. The agent that has most of it is preferred. */
  affinity?: AffinityKeys | undefined;
  /** The weight of the ask in the queue; `normal` if left out. */
  priority?: Priority | undefined;
  /** The ask goes only to agents that have at least one tag of each of these lists. */
  tags?: readonly (readonly string[])[] | undefined;
  work: Work;
  origin: AskOrigin;
  /** Called when the relay has taken the ask, which then has a record. */
  onTaken?: (() => void) | undefined;
  /** Called each time the ask is sent to an agent. */
  onSent?: ((sent: Sent) => void) | undefined;
  /** Called when the ask begins to wait, with a function that returns how many asks are before it. */
  onWaiting?: ((asksBefore: () => number) => void) | undefined;
  /** Called with each delta, in order, before the ask has its outcome. */
  onDelta?: ((delta: Delta, request: ModelRequest | undefined) => void) | undefined;
}

/** The agent that an ask was sent to, for the caller. */
export interface Sent {
  agentId: string;
  /** The agent's name, if its key allows callers to see it. */
  agentName: string | undefined;
  model: string;
  /** How often the ask was sent so far. */
  tries: number;
  /** From its arrival until it was sent. */
  queueMs: number;
  /** Whether the agent is one that has a part of the request cached; undefined if none is known that has. */
  isAffine: boolean | undefined;
}

export interface AskResult {
  answer: Answer;
  /** The id of the agent that answered. */
  agent: string;
  /** The model that it used. */
  model: string;
  /** Which of the requests the agent got; undefined for the v1 request. */
  request: ModelRequest | undefined;
}

/** One server-sent event of a streamed answer, or a part of an answer in bytes. */
export interface Delta {
  /** Empty for a part in bytes. */
  data: string;
  event?: string | undefined;
  /** The beginning of an answer in bytes. */
  head?: AnswerHead;
  piece?: AnswerPiece;
}

export interface AnswerHead {
  /** A good status. */
  status: number;
  contentType: string;
}

export interface AnswerPiece {
  bytes: Uint8Array;
  /** To be called when the caller has taken the bytes. Until then the agent sends few more. */
  taken: () => void;
}

export interface ModelAnswer {
  kind: "model";
  /** The status and the body are the upstream's; the body of a streamed answer is undefined. */
  status: number;
  body: string | undefined;
  usage: Usage | undefined;
  /** The headers of an upstream's error. */
  headers?: Record<string, string> | undefined;
}

export type Answer = { kind: "v1"; answer: V1Answer } | ModelAnswer;

/** The work that an agent offers to do. */
export interface Offer {
  slots: number;
  models: readonly Model[];
  endpoints: readonly Endpoint[];
}

/** A changed offer; what is missing stays as it was. */
export type OfferUpdate = { [Part in keyof Offer]?: Offer[Part] | undefined };

export interface AgentIdentity {
  id: string;
  /** The agent's own name for itself. */
  name: string;
  /** The agent's version, if its protocol tells it. */
  version?: string;
  /** The program that the version is of, if the agent tells it. */
  program?: string | undefined;
  /** The abilities of the agent beside its work. */
  capabilities?: readonly Capability[] | undefined;
  /** The name of the other node that it is connected to; undefined for an agent of this node. */
  node?: string;
  /** The remote address, without a port. */
  address: string;
  /** The agent showed the secret of its id, so it may take the id over from any address. */
  resumed?: boolean;
  /** The agent key that it registered with, if any; the id is null for the main key. */
  key?: { id: string | null; name: string; showsName?: boolean } | undefined;
  /** It is only shown. Undefined for an agent of another node. */
  transport?: AgentTransport;
  /** A v1 agent takes one ask at a time, cannot cancel it, and may answer no ping meanwhile. v2 is ours. */
  protocol: "v1" | "v2";
}

/** The reasons for which an agent is chosen before others that can do the work. */
export interface Preference {
  /** A higher one is used first as long as it has room. */
  priority: number;
  /** Its share of the asks among agents of equal priority, in proportion to their weights. Positive. */
  weight: number;
  /** The tags that count: those that its key allows. */
  tags: readonly string[];
  /** The id of the user whose asks come first on the agent. */
  ownerId?: string | undefined;
}

export const DEFAULT_PREFERENCE: Preference = { priority: 0, weight: 1, tags: [] };

export interface AgentProfile extends AgentIdentity, Offer {
  /** `DEFAULT_PREFERENCE` if left out. */
  preference?: Preference | undefined;
}

export type AgentCommand =
  | {
      kind: "ask";
      slot: string;
      request: V1Request | ModelRequest;
      model: string;
      deadlineMs: number;
      origin: AskOrigin;
    }
  | { kind: "cancel"; slot: string }
  | { kind: "ping" }
  /** Only for agents with the capability. */
  | { kind: "update" };

/** How many bytes an agent was sent, and where they are. */
export interface SentBytes {
  total: number;
  /** Those that still wait in this process, as the socket does not take more. */
  buffered: number;
  /** Those that the agent has read for certain, as it answered what was sent after them. */
  read: number;
}

/** The write side of one agent's connection. */
export interface Transport {
  sentBytes(): SentBytes;
  /** Returns false when the frame was dropped, for whatever reason: the agent then counts as lost. */
  send(command: AgentCommand): boolean;
  close(reason: CloseReason): void;
}

/** Why an agent is no longer connected; undefined when it left by itself. */
export type LeaveReason = CloseReason | undefined;

export interface RelayLimits {
  /** How many asks may wait, of everyone together and of one principal. */
  queueMax: number;
  queueUserMax: number;
  /** How long an ask may wait for a slot at a time. */
  queueWaitMs: number;
  /** How long an ask waits for an agent that left to come back, when no other agent could serve it. */
  reconnectGraceMs: number;
  /** How long an agent may take until the first byte of its answer, or a v1 agent until all of it. */
  firstByteMs: number;
  /** How long an agent may take for an answer that is not streamed. */
  wholeAnswerMs: number;
  /** How long a streamed answer may pause, and how long all of it may take. */
  betweenDeltasMs: number;
  wholeStreamMs: number;
  /** Failures in a row that open the circuit of an agent and a model; with 0 none ever opens. */
  agentFailuresMax: number;
  /** How long an ask waits for the agent that has most of it cached, when others have room. */
  affinityWaitMs: number;
  /** How large a frame may be, and how long all deltas of a streamed answer together. */
  frameBytesMax: number;
  pingEveryMs: number;
  pongWithinMs: number;
}

/** An ask of a user that has no outcome yet. */
export interface OpenUserAsk {
  /** The hash of the token that it came with. */
  tokenHash: string;
  /** The model that it is for; undefined until one is known. */
  model: string | undefined;
  /** Ends the ask. Harmless when it has ended. */
  end(error: AppError): void;
}
