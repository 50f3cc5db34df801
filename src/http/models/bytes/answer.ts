import type { Caller } from "../../../auth/callers.ts";
import { asAppError } from "../../../errors.ts";
import type { Delta, Sent } from "../../../relay/types.ts";
import { askContext } from "../../ask-context.ts";
import { parseShape } from "../../middleware/body.ts";
import type { StreamAskDeps } from "../../middleware/stream-ask.ts";
import { deploymentOf } from "../../path-aliases.ts";
import type { AnyRequest } from "../../route.ts";
import { send } from "../answer-request.ts";
import { askRequest, type ModelAsk, replyOf } from "../ask.ts";
import { allowedModels } from "../names/allowed-models.ts";
import { type ModelApi, type ModelAskDeps, readModelAsk } from "../read-request.ts";
import { type ModelAskBody, NamedModel } from "../schema.ts";
import { ByteStream } from "./byte-stream.ts";

export type ByteDeps = ModelAskDeps & StreamAskDeps;

export interface ByteRequest extends AnyRequest {
  caller: Caller;
  body: ModelAskBody;
}

/**
 * Answers a request whose answer may be bytes, and whose body may be a form. Rejects with an `AppError` if it fails
 * before the answer begins. One that fails later breaks the connection off, as bytes have no place for an error.
 */
export async function answerInBytes(deps: ByteDeps, api: ModelApi, request: ByteRequest): Promise<Response> {
  const { exchange } = request;
  const { signal } = exchange.request;
  const ask = readByteAsk(deps, api, request);
  exchange.model = ask.model;
  const gone = new AbortController();
  const leave = () => gone.abort();
  if (signal.aborted) leave();
  signal.addEventListener("abort", leave);
  const bytes = new ByteStream(deps.clock, leave);
  const asked = run(deps, { ask, bytes, exchange }, gone.signal);
  const end = (response: Response | undefined) => {
    if (response) bytes.discard();
    else bytes.end();
  };
  const fail = (thrown: unknown) => {
    bytes.fail();
    if (!bytes.isStarted) return;
    const error = asAppError(thrown);
    deps.log.warn("stream_failed", { request_id: exchange.requestId, error: error.code });
  };
  void asked.then(end, fail);
  return (await Promise.race([bytes.started, asked])) ?? bytes.started;
}

function readByteAsk(deps: ByteDeps, api: ModelApi, request: ByteRequest): ModelAsk {
  const { exchange, caller, body, form, text, json } = request;
  const { headers, url } = exchange.request;
  const asker = askContext(exchange, caller, api.endpoint, allowedModels(caller, deps));
  const named = deploymentOf(url) ?? form?.model ?? body.model;
  const { model } = parseShape(NamedModel, { model: named }, "request_invalid");
  const ask = readModelAsk(deps, api, asker, { name: model, body, text, json, headers });
  // The pauses of an answer are limited, not the time until its end: a large file takes long.
  const inBytes = form ? { stream: true, upload: form.form, body: () => "" } : { stream: true };
  const plans = ask.plans.map((plan) => ({ ...plan, request: { ...plan.request, ...inBytes } }));
  return { ...ask, plans };
}

interface RunOptions {
  ask: ModelAsk;
  bytes: ByteStream;
  exchange: ByteRequest["exchange"];
}

/** Resolves when the ask has ended: with a response if the answer was not in bytes. */
async function run(
  { relay }: ByteDeps,
  { ask, bytes, exchange }: RunOptions,
  signal: AbortSignal,
): Promise<Response | undefined> {
  const onDelta = ({ head, piece }: Delta) => {
    if (head) bytes.begin(head);
    if (piece) bytes.push(piece);
  };
  const request = askRequest(ask);
  const onSent = (sent: Sent) => {
    exchange.agent = sent.agentId;
    request.onSent?.(sent);
  };
  const result = await relay.ask({ ...request, onSent, onDelta }, signal);
  return bytes.isStarted ? undefined : send(exchange, replyOf(ask, result));
}
