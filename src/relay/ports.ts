import type { AppError } from "../errors.ts";
import type { Principal } from "../principal.ts";
import type { V1Answer, V1Request } from "../protocol/agent-v1.ts";
import type { Endpoint, Usage } from "../protocol/agent-v2.ts";
import type { CloseReason } from "../protocol/close.ts";
import type { Offer } from "./agent.ts";
import type { AskOrigin } from "./record.ts";

/** Stops what was scheduled; harmless when it ran already or is called twice. */
export type Cancel = () => void;

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  after(delayMs: number, run: () => void): Cancel;
}

/** The part of an `AbortSignal` the core needs. */
export interface Signal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** An OpenAI-style request. */
export interface ModelRequest {
  endpoint: Endpoint;
  stream: boolean;
  /** Of the caller's request, what the upstream may want. */
  headers?: Record<string, string>;
  /** The body for the model that the chosen agent will use. */
  body(model: string): string;
}

/** What is to be done, in the words of each protocol whose agents may do it. */
export interface Work {
  /** The model asked for; undefined leaves the choice to the agent. */
  model?: string | undefined;
  /** Those that its caller may use, where not all: an agent that has none of them does not get it. */
  models?: readonly string[] | undefined;
  v1?: V1Request | undefined;
  /** In the order of preference: an agent is given the first whose endpoint it offers. */
  requests?: readonly ModelRequest[] | undefined;
}

/** One server-sent event of a streamed answer. */
export interface Delta {
  data: string;
  event?: string | undefined;
}

export interface ModelAnswer {
  kind: "model";
  /** The upstream's status and body; no body where the answer was streamed. */
  status: number;
  body: string | undefined;
  usage: Usage | undefined;
  /** Of an error of the upstream. */
  headers?: Record<string, string> | undefined;
}

export type Answer = { kind: "v1"; answer: V1Answer } | ModelAnswer;

export type AgentCommand =
  | {
      kind: "ask";
      slot: string;
      what: V1Request | ModelRequest;
      model: string;
      deadlineMs: number;
      origin: AskOrigin;
    }
  | { kind: "cancel"; slot: string }
  | { kind: "ping" };

/** The write side of one agent's socket. */
export interface Transport {
  /** False when the frame was dropped, for whatever reason: the agent then counts as lost. */
  send(command: AgentCommand): boolean;
  close(reason: CloseReason): void;
}

/** What an agent's adapter tells the core. Every call is harmless once the agent is no longer registered. */
export interface AgentLink {
  /** The agent answered the last ping. */
  pong(): void;
  /** False for a slot that is not in use: what came for it is nobody's. */
  holds(slot: string): boolean;
  /** The work has begun: from here no other agent gets it. */
  accept(slot: string): void;
  delta(slot: string, delta: Delta): void;
  done(slot: string, answer: Answer): void;
  /** The agent could not do it. Before the first delta, another agent may, if `retryable`. */
  fail(slot: string, error: AppError, retryable: boolean): void;
  /** The agent offers something else from now on; ends a pause. */
  update(offer: { [Part in keyof Offer]?: Offer[Part] | undefined }): void;
  /** The agent finishes what it has and takes no more. */
  pause(): void;
  /** Whether the socket takes more. While it does not, the agent gets no asks. */
  writable(isWritable: boolean): void;
  /** The agent sent what nobody asked for. */
  ignored(): void;
  /** The socket is closed, for this reason where it is the server's. */
  gone(reason?: CloseReason): void;
}

/** What a conversation is continued from. */
export interface Conversation {
  id: string;
  /** Who began it. */
  owner: Principal;
  /** The agent that answered last. Without `kept` it has the words, and nobody else does. */
  agent: string;
  /** The server keeps the words, so that any agent can go on. */
  kept: boolean;
  /** The model that answered last, where it is known. */
  model: string | undefined;
}

/** A question and its answer. */
export interface Turn {
  /** The `response_id`. */
  id: string;
  /** The turn it goes on from; undefined for the first. */
  parent: string | undefined;
  question: string;
  answer: string;
}

export interface Conversations {
  find(id: string): Promise<Conversation | undefined>;
  /**
   * Returns the turns from the first to the one with the id `last`, or to the newest, oldest first; undefined when
   * the conversation has no such turn.
   */
  branch(conversation: string, last: string | undefined): Promise<Turn[] | undefined>;
  /**
   * Keeps a new conversation, or notes that a known one was used, and keeps the turn if there is one. Returns
   * at once; the write follows. Nobody takes over a conversation by naming it: one with another owner is left
   * unchanged, and so is one whose words are at another agent. Only a kept one changes its agent and model.
   */
  remember(conversation: Conversation, turn?: Turn): void;
}
