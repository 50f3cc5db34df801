import { AppError } from "../../errors.ts";
import { field, parseJson, textField } from "../../json/parse.ts";
import type { AskRequest, AskResult } from "../../relay/ask.ts";
import type { AskContext } from "../../relay/conversation.ts";
import type { Delta, ModelAnswer, ModelRequest, Signal } from "../../relay/ports.ts";
import type { HttpDeps } from "../context.ts";
import type { ServerEvent } from "../middleware/event-stream.ts";
import type { OpenWay, Way } from "./plan.ts";
import type { ModelAskHead } from "./schema.ts";
import { eventsOfWhole } from "./unstreamed.ts";
import type { V1Plan } from "./v1-plan.ts";

/** A request that was read and may be asked. */
export interface ModelAsk {
  asker: AskContext;
  head: ModelAskHead;
  /** The name that agents know it by, where the caller's is an alias. */
  model: string;
  ways: Way[];
  /** How agents of the reference's protocol may do it, if they may. */
  v1: V1Plan | undefined;
}

/** The answer as the caller gets it: with the upstream's status, or by events. */
export interface ModelReply {
  status: number;
  body: string;
  agent: string;
  usage: ModelAnswer["usage"];
  /** Of the upstream's error. */
  headers: ModelAnswer["headers"];
}

/** Asks without streaming. */
export async function askWhole({ relay }: HttpDeps, ask: ModelAsk, signal: Signal): Promise<ModelReply> {
  const result = await relay.ask(requestOf(ask), signal);
  const { agent } = result;
  const { status, body, usage, headers } = plainAnswer(ask, result);
  if (body === undefined) throw new AppError("agent_answer_invalid", { hint: "The agent sent no body." });
  const way = wayOf(ask, result.request);
  return {
    status,
    body: status < 300 ? way.body(body) : errorOf(way, ask, status, body),
    agent,
    usage,
    headers,
  };
}

/**
 * Asks and tells each event as it comes. Resolves with a reply where the agent answered without a stream, as
 * upstreams do when they refuse.
 */
export async function askStreamed(
  { relay }: HttpDeps,
  ask: ModelAsk,
  signal: Signal,
  events: { send(events: ServerEvent[]): void; failing(way: OpenWay): void },
): Promise<{ reply?: ModelReply; result: AskResult }> {
  let open: OpenWay | undefined;
  const opened = (request: ModelRequest | undefined) => {
    open ??= wayOf(ask, request).open();
    events.failing(open);
    return open;
  };
  const onDelta = (delta: Delta, request: ModelRequest | undefined) =>
    events.send(opened(request).events(delta));
  const result = await relay.ask({ ...requestOf(ask), onDelta }, signal);
  if (result.answer.kind === "v1") {
    const way = opened(undefined);
    for (const data of ask.v1?.chunks(result) ?? []) events.send(way.events({ data }));
    events.send(way.end());
    return { result };
  }
  const { status, body, usage, headers } = result.answer;
  if (body === undefined) {
    events.send(opened(result.request).end());
    return { result };
  }
  const whole =
    status < 300 && result.request?.endpoint === "chat/completions" ? eventsOfWhole(body) : undefined;
  if (whole) {
    const open = opened(result.request);
    for (const data of whole) events.send(open.events({ data }));
    events.send(open.end());
    return { result };
  }
  const way = wayOf(ask, result.request);
  const reply = status < 300 ? way.body(body) : errorOf(way, ask, status, body);
  return { reply: { status, body: reply, agent: result.agent, usage, headers }, result };
}

function requestOf({ asker, model, ways, v1 }: ModelAsk): AskRequest {
  return {
    principal: asker.principal,
    origin: asker.origin,
    pin: v1?.pin,
    work: { model, requests: ways.map(({ request }) => request), v1: v1?.request },
  };
}

/** An answer of the reference's protocol is read as the chat completion that it stands for. */
function plainAnswer(ask: ModelAsk, result: AskResult): Omit<ModelAnswer, "kind"> {
  if (result.answer.kind === "model") return result.answer;
  return { status: 200, body: ask.v1?.completion(result), usage: undefined };
}

function wayOf({ ways }: ModelAsk, request: ModelRequest | undefined): Way {
  const way = ways.find((candidate) => candidate.request === request) ?? ways.at(-1);
  if (!way) throw new Error("an ask without a way");
  return way;
}

/** An upstream's refusal is passed on as it is where the caller speaks its language, else told in the caller's. */
function errorOf(way: Way, { ways }: ModelAsk, status: number, body: string): string {
  if (way === ways[0]) return body;
  throw new AppError("agent_failed", { extra: { err: messageOf(body) }, upstream: { status, body } });
}

function messageOf(body: string): string {
  const error = field(parseJson(body), "error");
  const message = textField(error, "message") ?? error;
  return typeof message === "string" ? message.slice(0, 1000) : "it gave no reason";
}
