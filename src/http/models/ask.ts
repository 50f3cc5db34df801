import { AppError } from "../../errors.ts";
import { field, parseJson } from "../../json/parse.ts";
import { readUpstreamError } from "../../json/upstream-error.ts";
import { type Endpoint, isOllamaEndpoint } from "../../protocol/agent-v2.ts";
import { CHAT_STREAM_END } from "../../protocol/chat.ts";
import { type AskContext, requestOf } from "../../relay/conversation.ts";
import type { Relay } from "../../relay/relay.ts";
import type { AffinityKeys } from "../../relay/routing/affinity.ts";
import type {
  AskRequest,
  AskResult,
  Delta,
  ModelAnswer,
  ModelRequest,
  Sent,
  Signal,
} from "../../relay/types.ts";
import type { ErrorStyle } from "../errors/style.ts";
import type { EventStream, ServerEvent } from "../middleware/event-stream.ts";
import type { Chain } from "./affinity/chain.ts";
import { responseKey } from "./affinity/keys.ts";
import { responseIdOf } from "./affinity/response-id.ts";
import { chunksOf, WholeCompletion } from "./chat-completion.ts";
import { eventsOfMessage } from "./messages/whole-events.ts";
import type { Plan, PlanStream } from "./plan.ts";
import { eventsOfResponse } from "./responses/whole-events.ts";
import type { V1Plan } from "./v1-plan.ts";

/** A model request that was read, with every plan by which it may be answered. */
export interface ModelAsk {
  asker: AskContext;
  /** The name that agents know the model by. The caller's may be an alias. */
  model: string;
  /** The models to use when that one cannot answer, by the names that agents know. */
  fallbacks: readonly string[];
  /** Whether the model is the one that the caller asked for. If no agent knows that, the first fallback is used. */
  isAsked: (model: string) => boolean;
  stream: boolean;
  /** The native plan, and after it the translated one: at least one of them. */
  plans: Plan[];
  /** The shape of the errors that the caller knows. */
  style: ErrorStyle;
  /** How v1 agents may answer, if they may. */
  v1: V1Plan | undefined;
  /** The keys of what agents may have cached of the caller's request, whatever plan is taken. */
  affinity: AffinityKeys | undefined;
  /** The beginning of those keys. */
  chainStart: Chain;
  /** The only agent that may answer, as its upstream has the response that the request continues. */
  pin?: string | undefined;
}

/** An answer that is not streamed, as the caller gets it. */
export interface ModelReply extends Omit<ModelAnswer, "kind"> {
  body: string;
  agent: string;
  /** The answer is the upstream's own, not a translated one. */
  isNative: boolean;
}

/** The part of the stream to its caller that an ask needs. */
export type EventsToCaller = Pick<EventStream, "sendAll" | "isStarted">;

/** Asks without streaming. */
export async function askWhole(relay: Relay, ask: ModelAsk, signal: Signal): Promise<ModelReply> {
  const result = await relay.ask(askRequest(ask), signal);
  const reply = replyOf(ask, result);
  noteResponse(relay, ask, reply.body, reply.agent);
  const shared = ask.v1?.shared();
  if (shared !== undefined) await shared;
  return reply;
}

/** A streamed model request. Its first delta, or else its answer, decides which plan makes the events. */
export class ModelStream {
  #stream: PlanStream | undefined;
  /** The data of the first event. */
  #first: string | undefined;
  /** The model that the request was last sent for. */
  #model: string;

  constructor(
    private readonly relay: Relay,
    private readonly ask: ModelAsk,
  ) {
    this.#model = ask.model;
  }

  /** Resolves with a reply if the agent answered without a stream, as upstreams do when they refuse. */
  async run(
    events: EventsToCaller,
    signal: Signal,
  ): Promise<{ agent: string; isNative: boolean; reply?: ModelReply }> {
    const push = (stream: PlanStream, delta: Delta) => {
      const made = stream.push(delta);
      this.#first ??= made[0]?.data;
      events.sendAll(made);
    };
    const onDelta = (delta: Delta, request: ModelRequest | undefined) => push(this.#open(request), delta);
    const request = askRequest(this.ask);
    const onSent = (sent: Sent) => {
      this.#model = sent.model;
      request.onSent?.(sent);
    };
    const result = await this.relay.ask({ ...request, onSent, onDelta }, signal);
    const { agent } = result;
    this.#model = result.model;
    const rest = missingDeltas(this.ask, result);
    if (!rest) {
      const reply = replyOf(this.ask, result);
      if (events.isStarted) throw unstreamedError(reply);
      return { agent, isNative: reply.isNative, reply };
    }
    const shared = this.ask.v1?.shared();
    if (shared !== undefined) await shared;
    const stream = this.#open(result.request);
    for (const delta of rest) push(stream, delta);
    events.sendAll(stream.end());
    noteResponse(this.relay, this.ask, this.#first, agent);
    return { agent, isNative: planOf(this.ask, result.request).isNative };
  }

  /** Returns what ends the stream when it fails, also before the first delta. */
  fail(error: AppError, requestId: string): ServerEvent[] {
    return this.#open(undefined).fail(error, requestId);
  }

  #open(request: ModelRequest | undefined): PlanStream {
    this.#stream ??= planOf(this.ask, request).stream(otherModel(this.ask, this.#model));
    return this.#stream;
  }
}

export function askRequest({ asker, model, fallbacks, plans, v1, affinity, pin }: ModelAsk): AskRequest {
  return {
    ...requestOf(asker),
    pin: pin ?? v1?.pin,
    affinity,
    work: { model, fallbacks, requests: plans.map(({ request }) => request), v1: v1?.request },
  };
}

/** Notes which agent has the response, as the next request may name nothing else. */
function noteResponse(relay: Relay, ask: ModelAsk, text: string | undefined, agent: string): void {
  const { principal, origin } = ask.asker;
  const id = origin.surface === "responses" && text !== undefined ? responseIdOf(text) : undefined;
  if (id === undefined) return;
  relay.affinity.note(principal, ask.model, { known: [], kept: [responseKey(id, ask.chainStart)] }, agent);
}

/** Returns the model to name in an answer; undefined for the one that the caller asked for, by the caller's name. */
const otherModel = ({ isAsked }: ModelAsk, model: string) => (isAsked(model) ? undefined : model);

const STREAMED: ReadonlySet<Endpoint> = new Set([
  ...(["chat/completions", "completions", "responses", "messages", "api/chat", "api/generate"] as const),
]);

/** Returns the events that a streamed answer still lacks; undefined if the answer must be sent whole. */
function missingDeltas(ask: ModelAsk, result: AskResult): Delta[] | undefined {
  const { answer, request } = result;
  if (answer.kind === "v1") return ask.v1 ? toDeltas(chunksOf(ask.v1.completion(result))) : [];
  const { status, body } = answer;
  if (body === undefined) return [];
  if (status >= 300 || !request) return undefined;
  const events = eventsOfWhole(request.endpoint, parseJson(body));
  if (events || !STREAMED.has(request.endpoint)) return events;
  // A translation knows what is wrong. Clients that wait for events would take any other body for an empty answer.
  planOf(ask, request).answer(body);
  throw new AppError("agent_answer_invalid", {
    hint: "The agent's upstream sent no answer that can be streamed.",
  });
}

/** Returns the events for a whole answer of the endpoint; undefined if it is not one. */
function eventsOfWhole(endpoint: Endpoint, answer: unknown): Delta[] | undefined {
  if (endpoint === "messages") return eventsOfMessage(answer);
  if (endpoint === "responses") return eventsOfResponse(answer);
  // A whole answer of Ollama has the shape of its last line.
  if (isOllamaEndpoint(endpoint))
    return field(answer, "done") === true ? toDeltas([JSON.stringify(answer)]) : undefined;
  // A whole completion has the shape of a chunk.
  if (endpoint === "completions" && Array.isArray(field(answer, "choices")))
    return toDeltas([JSON.stringify(answer), CHAT_STREAM_END]);
  const completion = endpoint === "chat/completions" ? WholeCompletion.safeParse(answer).data : undefined;
  return completion && completion.choices.length > 0 ? toDeltas(chunksOf(completion)) : undefined;
}

const toDeltas = (texts: readonly string[]): Delta[] => texts.map((data) => ({ data }));

export function replyOf(ask: ModelAsk, result: AskResult): ModelReply {
  const { status, body, usage, headers } = modelAnswer(ask, result);
  if (body === undefined) throw new AppError("agent_answer_invalid", { hint: "The agent sent no body." });
  const plan = planOf(ask, result.request);
  // A refusal in an error style that the caller does not know would have no reason for them.
  if (status >= 300 && !(plan.isNative && ask.style.hasStyle?.(parseJson(body))))
    throw refusalError({ status, body, headers });
  return {
    status,
    body: status < 300 ? plan.answer(body, otherModel(ask, result.model)) : body,
    agent: result.agent,
    isNative: plan.isNative,
    usage,
    headers,
  };
}

/** Returns the error that a stream which has begun tells in place of an answer that is not streamed. */
function unstreamedError(reply: ModelReply): AppError {
  if (reply.status >= 300) return refusalError(reply);
  const hint = "The agent's upstream answered without a stream, after the stream had begun.";
  return new AppError("agent_answer_invalid", { hint });
}

/** Returns the error for an upstream's answer that is an error. */
function refusalError({ status, body, headers }: Pick<ModelReply, "status" | "body" | "headers">): AppError {
  const { message, type, code } = readUpstreamError(body);
  const err = message ?? `the upstream responded with status ${status}`;
  return new AppError("agent_failed", { extra: { err }, upstream: { status, body, headers, type, code } });
}

/** Returns the answer of a v1 agent as the chat completion that it stands for. */
function modelAnswer(ask: ModelAsk, result: AskResult): Omit<ModelAnswer, "kind"> {
  if (result.answer.kind === "model") return result.answer;
  return { status: 200, body: ask.v1 && JSON.stringify(ask.v1.completion(result)), usage: undefined };
}

/** Returns the plan of the sent request; for a v1 agent the last, which reads chat completions. */
function planOf({ plans }: ModelAsk, request: ModelRequest | undefined): Plan {
  const plan = plans.find((candidate) => candidate.request === request) ?? plans.at(-1);
  if (!plan) throw new Error("a model request without a plan");
  return plan;
}
