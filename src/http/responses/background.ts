import type { Clock } from "../../clock.ts";
import { type AppError, asAppError } from "../../errors.ts";
import { removeField, setFields } from "../../json/edit.ts";
import { field, parseJson } from "../../json/parse.ts";
import { readUpstreamError } from "../../json/upstream-error.ts";
import { causeOf, type Log } from "../../log/log.ts";
import type { Relay } from "../../relay/relay.ts";
import { openaiError } from "../errors/openai.ts";
import type { ErrorStyle } from "../errors/style.ts";
import type { Exchange } from "../exchange.ts";
import { JSON_HEADERS } from "../middleware/headers.ts";
import { type ModelAsk, ModelStream } from "../models/ask.ts";
import { isTerminal } from "../models/responses/events.ts";
import type { ModelAskBody } from "../models/schema.ts";
import { BackgroundEvents } from "./background-events.ts";
import { type KeeperDeps, type KeptRequest, ResponseKeeper } from "./keeper.ts";
import { readRecording } from "./read-recording.ts";
import type { Recording } from "./recording.ts";

interface BackgroundDeps extends KeeperDeps {
  relay: Relay;
  clock: Clock;
  log: Log;
  newId: () => string;
  /** The name of this process, for what is stored about a response on which it works. */
  holder: string;
}

/** Returns the request as it is sent to an agent: the answer is streamed, so that its events can be read. */
export function backgroundBody({ body, text, json }: { body: ModelAskBody; text: string; json: unknown }) {
  const fields = { ...(json as Record<string, unknown>), stream: true };
  return {
    body: { ...body, stream: true },
    text: setFields(removeField(text, "background"), { stream: true }),
    json: Object.fromEntries(Object.entries(fields).filter(([name]) => name !== "background")),
  };
}

/** The responses that are made in the background. Each is one ask, which ends whatever its caller does. */
export class Background {
  /** Those that were cancelled, and have not ended yet. */
  readonly #cancelled = new WeakSet<Recording>();
  readonly #running = new Map<Recording, BackgroundEvents>();

  constructor(private readonly deps: BackgroundDeps) {}

  /**
   * Begins the ask, and resolves with the response as it waits, or with the stream of its events. The caller gets its id
   * only when it is stored: then it is known also after a crash.
   */
  async start(
    exchange: Exchange,
    ask: ModelAsk,
    kept: KeptRequest,
    isStreamed: boolean,
    style: ErrorStyle,
  ): Promise<Response> {
    const { shelf, newId, now, holder, clock } = this.deps;
    const id = `resp_${newId().replaceAll("-", "")}`;
    const first = firstResponse(id, kept, Math.floor(now() / 1000));
    const events = new BackgroundEvents(first);
    const keeper = new ResponseKeeper(this.deps, kept);
    const recording = keeper.record();
    recording.name(id);
    this.#running.set(recording, events);
    keeper.add(recording, events.begin());
    const stored = recording.response && shelf.keepRunning(kept.owner, recording.response, holder);
    exchange.detached = this.#run(ask, { recording, keeper, events, requestId: exchange.requestId });
    await stored;
    if (isStreamed) return readRecording(recording, -1, { clock, signal: exchange.request.signal, style });
    return new Response(JSON.stringify(first), { headers: JSON_HEADERS });
  }

  /** Cancels a response on which this process works. False if it does not. */
  cancel(recording: Recording): boolean {
    if (!this.#running.has(recording)) return false;
    this.#cancelled.add(recording);
    recording.signal.abort();
    return true;
  }

  /** Resolves when the response has ended, and is kept. Never rejects. */
  async #run(ask: ModelAsk, { recording, keeper, events, requestId }: Run): Promise<void> {
    const { relay, log } = this.deps;
    const isEnded = () => recording.state !== undefined && isTerminal(recording.state);
    const add = (made: readonly Parameters<BackgroundEvents["of"]>[0][]) => {
      for (const event of made) if (!isEnded()) keeper.add(recording, events.of(event));
    };
    let isSent = false;
    const onSent: ModelAsk["asker"]["onSent"] = () => {
      if (!isSent) keeper.add(recording, events.sent());
      isSent = true;
    };
    const stream = new ModelStream(relay, { ...ask, asker: { ...ask.asker, onSent } });
    let made: { agent?: string; isNative?: boolean } = {};
    try {
      const { agent, reply } = await stream.run({ sendAll: add, isStarted: false }, recording.signal);
      made = { agent };
      if (!isEnded()) keeper.add(recording, events.ended("failed", refusalOf(reply?.body ?? "")));
    } catch (thrown) {
      const error = asAppError(thrown);
      log.warn("background_failed", { request_id: requestId, error: error.code, ...detailOf(error) });
      if (this.#cancelled.has(recording)) keeper.add(recording, events.ended("cancelled", null));
      else if (!isEnded()) keeper.add(recording, events.ended("failed", failureOf(error, requestId)));
    }
    this.#running.delete(recording);
    keeper.end(recording, made);
    await keeper.saved();
  }
}

interface Run {
  recording: Recording;
  keeper: ResponseKeeper;
  events: BackgroundEvents;
  requestId: string;
}

const detailOf = ({ cause }: AppError) => (cause === undefined ? {} : { cause: causeOf(cause) });

function failureOf(error: AppError, requestId: string): { code: string; message: string } {
  const { code, message } = openaiError(error, requestId);
  return { code: String(code ?? "server_error"), message };
}

/** Returns the error of an upstream that answered without a stream. */
function refusalOf(body: string): { code: string; message: string } {
  const { code, message } = readUpstreamError(body);
  return { code: code ?? "server_error", message: message ?? "The upstream sent no response." };
}

/** The fields of a request that a response repeats. */
const ECHOED = [
  ...["instructions", "max_output_tokens", "max_tool_calls", "parallel_tool_calls", "reasoning"],
  ...["temperature", "text", "tool_choice", "tools", "top_p", "truncation", "user", "prompt_cache_key"],
];

/** Returns the response before any agent has the request. */
function firstResponse(
  id: string,
  { request, previous, conversation, model }: KeptRequest,
  createdAt: number,
) {
  const json = parseJson(request);
  const echo = ECHOED.map((name) => [name, field(json, name) ?? DEFAULTS[name] ?? null]);
  return {
    ...{ id, object: "response", created_at: createdAt, status: "queued", background: true },
    ...{ completed_at: null, error: null, incomplete_details: null, model, output: [], usage: null },
    ...Object.fromEntries(echo),
    metadata: field(json, "metadata") ?? {},
    ...{ previous_response_id: previous ?? null, store: true },
    ...(conversation !== undefined && { conversation: { id: conversation } }),
  };
}

const DEFAULTS: Record<string, unknown> = { parallel_tool_calls: true, tool_choice: "auto", tools: [] };
