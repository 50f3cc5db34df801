import type { AppError } from "../errors.ts";
import type { CloseReason } from "../protocol/close.ts";
import type { ReferenceAnswer, ReferenceRequest } from "../protocol/reference.ts";

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

/** What an agent is asked to do, in no protocol's words. */
export type Work = { kind: "reference"; request: ReferenceRequest };
export type Answer = ReferenceAnswer;

export type Order = { kind: "ask"; slot: string; work: Work } | { kind: "ping" };

/** The write side of one agent's socket. */
export interface Transport {
  /** False when the frame was dropped, for whatever reason: the agent then counts as lost. */
  send(order: Order): boolean;
  close(reason: CloseReason): void;
}

export interface Conversation {
  id: string;
  /** The user that began it; null for the holder of the admin key. */
  user: string | null;
  /** The agent that has its words. */
  agent: string;
}

export interface Conversations {
  find(id: string): Promise<Conversation | undefined>;
  /**
   * Keeps a new conversation, or notes that a known one was used. Returns at once; the write follows.
   * A known id with another owner or agent is left as it is: nobody takes a conversation over by naming it.
   */
  remember(conversation: Conversation): void;
}

/** What an agent's adapter tells the core. Every call is harmless once the agent is no longer registered. */
export interface AgentLink {
  /** The agent answered the last ping. */
  pong(): void;
  /** False for a slot that is not in use: what came for it is nobody's. */
  holds(slot: string): boolean;
  done(slot: string, answer: Answer): void;
  /** The agent could not do it; another agent may. */
  fail(slot: string, error: AppError): void;
  /** The agent sent what nobody asked for. */
  ignored(): void;
  /** The socket is closed. */
  gone(): void;
}
