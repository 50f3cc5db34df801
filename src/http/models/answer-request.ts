import type { Caller } from "../../auth/callers.ts";
import { askContext } from "../ask-context.ts";
import { passHeaders } from "../errors/response.ts";
import type { Exchange } from "../exchange.ts";
import { parseShape } from "../middleware/body.ts";
import { JSON_HEADERS } from "../middleware/headers.ts";
import { type StreamAskDeps, streamAsk } from "../middleware/stream-ask.ts";
import { deploymentOf } from "../path-aliases.ts";
import type { AnyRequest } from "../route.ts";
import { askWhole, type ModelAsk, type ModelReply, ModelStream } from "./ask.ts";
import { allowedModels } from "./names/allowed-models.ts";
import { type ModelApi, type ModelAskDeps, readModelAsk } from "./read-request.ts";
import { type ModelAskBody, NamedModel } from "./schema.ts";

export type ModelDeps = ModelAskDeps & StreamAskDeps;

/** A request to the route of a model API. */
export interface ApiRequest extends Pick<AnyRequest, "exchange" | "text" | "json"> {
  caller: Caller;
  body: ModelAskBody;
}

/**
 * Asks for the answer of a model, whole or streamed. Not `async`: the runtime keeps the parameters of an `async`
 * function, here the body and its JSON, until its end.
 */
export function answerModelRequest(deps: ModelDeps, api: ModelApi, request: ApiRequest): Promise<Response> {
  const { exchange, caller, body, text, json } = request;
  const asker = askContext(exchange, caller, api.endpoint, allowedModels(caller, deps));
  const { headers, signal, url } = exchange.request;
  // Azure ignores the body's model, too.
  const { model } = parseShape(
    NamedModel,
    { model: deploymentOf(url) ?? body.model ?? api.defaultModel },
    "request_invalid",
  );
  const ask = readModelAsk(deps, api, asker, { name: model, body, text, json, headers });
  exchange.model = ask.model;
  if (ask.stream) return stream(exchange, deps, ask, api);
  return askWhole(deps.relay, ask, signal).then((reply) => send(exchange, reply));
}

function stream(
  exchange: Exchange,
  deps: ModelDeps,
  ask: ModelAsk,
  { style, framing }: ModelApi,
): Promise<Response> {
  const stream = new ModelStream(deps.relay, ask);
  return streamAsk(exchange, deps, {
    async run(events, signal) {
      const { agent, reply } = await stream.run(events, signal);
      exchange.agent = agent;
      return reply && send(exchange, reply);
    },
    fail: (error) => stream.fail(error, exchange.requestId),
    keepAlive: style.keepAlive,
    framing,
  });
}

/** Returns the response for an answer that is not streamed, and notes it for the log. */
export function send(
  exchange: Exchange,
  { status, body, agent, usage, headers: passed }: ModelReply,
): Response {
  exchange.agent = agent;
  if (usage) {
    exchange.inputTokens = usage.prompt_tokens;
    exchange.outputTokens = usage.completion_tokens;
  }
  const headers = new Headers(JSON_HEADERS);
  passHeaders(passed, headers);
  return new Response(body, { status, headers });
}
