import type { AppError } from "../errors.ts";
import type { Principal } from "../principal.ts";
import type { Agent } from "./agent.ts";
import type { Answer, Cancel, Delta, ModelRequest, Work } from "./ports.ts";
import type { AskOrigin } from "./record.ts";

export interface AskRequest {
  /** Who asks: principals take turns in the queue. */
  principal: Principal;
  /** The id of the only agent that can serve it, as that agent has the conversation's words. */
  pin?: string | undefined;
  /** The id of the agent to be preferred, as it knows the conversation already. */
  prefer?: string | undefined;
  work: Work;
  origin: AskOrigin;
  /** Called for each piece of a streamed answer, in order, before the ask has its outcome. */
  onDelta?: ((delta: Delta, request: ModelRequest | undefined) => void) | undefined;
}

export interface AskResult {
  answer: Answer;
  /** The id of the agent that answered. */
  agent: string;
  /** The model that it used. */
  model: string;
  /** Which of the requests it was given; undefined for the reference's. */
  request: ModelRequest | undefined;
}

/** An ask from its arrival until its one outcome. */
export interface Ask {
  readonly principal: Principal;
  readonly request: AskRequest;
  readonly resolve: (result: AskResult) => void;
  readonly reject: (error: AppError) => void;
  /** Stops listening for the caller's leaving. */
  forgetCaller: Cancel;
  /** Where it was sent, while it is there. */
  at: { agent: Agent; slot: string } | undefined;
  state: "new" | "waiting" | "sent" | "settled";
  /** How often it was sent. */
  tries: number;
  /** Ids of the agents it was sent to. */
  readonly tried: Set<string>;
  /** What became of the last try. */
  failure: AppError | undefined;
  /** The last try was lost rather than refused, so an agent that had it may have it again. */
  repeatable: boolean;
  /** The agent that had it last. */
  lastAgent: Agent | undefined;
  /** When it came, when it was last sent, when the first byte of its answer came: milliseconds since 1970. */
  readonly beganAt: number;
  sentAt: number | undefined;
  firstAt: number | undefined;
  deltas: number;
  deltaLength: number;
  /** Both only while it waits. */
  stopWait: Cancel | undefined;
  stopLook: Cancel | undefined;
}

export function createAsk(
  request: AskRequest,
  beganAt: number,
  resolve: (result: AskResult) => void,
  reject: (error: AppError) => void,
): Ask {
  return {
    principal: request.principal,
    request,
    resolve,
    reject,
    forgetCaller: () => {},
    at: undefined,
    state: "new",
    tries: 0,
    tried: new Set(),
    failure: undefined,
    repeatable: true,
    lastAgent: undefined,
    beganAt,
    sentAt: undefined,
    firstAt: undefined,
    deltas: 0,
    deltaLength: 0,
    stopWait: undefined,
    stopLook: undefined,
  };
}
