import type { AppError } from "../../errors.ts";
import type { Delta, ModelRequest } from "../../relay/types.ts";
import type { ServerEvent } from "../middleware/event-stream.ts";

/** The form of an agent's answer for the caller. */
export interface AnswerReader {
  /**
   * Returns the body for the caller, made from the body of a good answer. Throws if the body is not readable. It
   * names `model` as the one that answered, if the upstream names none and it is not the one asked for.
   */
  answer(body: string, model?: string): string;
  /** Begins a streamed answer, which names `model` likewise. */
  stream(model?: string): PlanStream;
}

/**
 * One way in which a request can be answered: what an agent is sent, and what its answer becomes. A request
 * has a native plan, and perhaps a translated one; the agent's endpoints decide which is taken.
 */
export interface Plan extends AnswerReader {
  request: ModelRequest;
  /** The agent is sent the caller's body, and its answer passed on. */
  isNative: boolean;
}

/** The events for the caller of one streamed answer. */
export interface PlanStream {
  /** Never throws, as the agent's connection calls it: what cannot be read becomes an event that says so. */
  push(delta: Delta): ServerEvent[];
  /** The answer is complete. */
  end(): ServerEvent[];
  /** The answer has failed. Nothing comes after these events. */
  fail(error: AppError, requestId: string): ServerEvent[];
}
