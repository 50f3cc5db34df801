import type { Resume } from "../auth/resume.ts";
import { AppError } from "../errors.ts";
import { jsonExcess } from "../json/bounds.ts";
import { parseBoundedJson, textField } from "../json/parse.ts";
import {
  errorInGoodStatus,
  isAboutAccount,
  isRetryable,
  oneLine,
  readUpstreamError,
} from "../json/upstream-error.ts";
import {
  AGENT_FRAME_TYPES,
  AgentFrame,
  type DoneFrame,
  type FailFrame,
  frameFault,
  type HelloFrame,
  isAnswerStatus,
} from "../protocol/agent-v2.ts";
import type { Agent } from "../relay/agent.ts";
import type { AskOrigin } from "../relay/record.ts";
import type { Relay } from "../relay/relay.ts";
import type { AgentCommand, ModelRequest } from "../relay/types.ts";
import { AgentConnection, type ConnectionOptions, modelsOfKey } from "./connection.ts";

export interface V2Options extends ConnectionOptions {
  /** The server's version, which the agent is sent. */
  version: string;
  frameBytesMax: number;
  resume: Resume;
}

/** Frames outside of an ask within the window. An agent that sends more is broken or hostile. */
const FRAMES_MAX = 1000;
const FRAMES_WINDOW_MS = 10_000;

/** How long after a cancel the frames may still arrive that the agent sent before it read the cancel. */
const LATE_MS = 10_000;

const NOT_HELLO = "the first frame must be a hello";

/** The connection of an agent that speaks v2. See `protocol/agent-v2.ts` for the frames. */
export class V2Connection extends AgentConnection<V2Options> {
  readonly protocol = "v2";
  #pingSent = false;
  /** Slots that were cancelled lately with the time, oldest first. */
  readonly #cancelled = new Map<string, number>();
  #frames = 0;
  #framesUntil = 0;

  send(command: AgentCommand): boolean {
    switch (command.kind) {
      case "ping":
        this.#pingSent = true;
        return this.write({ type: "ping" });
      case "cancel":
        this.#noteCancel(command.slot);
        return this.write({ type: "cancel", ask: command.slot });
      case "ask": {
        const { request, model, slot, deadlineMs, origin } = command;
        if (!("endpoint" in request)) return false;
        return this.write({
          type: "ask",
          ask: slot,
          endpoint: request.endpoint,
          stream: request.stream,
          body: request.body(model),
          headers: headersOf(request, origin),
          deadline_ms: deadlineMs,
        });
      }
    }
  }

  protected frame(text: string): void {
    const parsed = parseFrame(text);
    if (parsed === "unknown") this.#unexpected();
    else if ("fault" in parsed) this.#refuseFault(parsed);
    else if (this.agent) this.#handle(parsed, this.agent);
    else if (parsed.type === "hello") this.#hello(parsed);
    else this.refuse("hello_invalid", NOT_HELLO);
  }

  #hello(frame: HelloFrame): void {
    const { resume, version, frameBytesMax } = this.options;
    const { trusted, key } = this.admitted;
    const { id, resumed } = this.#identify(frame);
    // Sent before the agent is registered, as the relay may send it an ask at once.
    this.write({
      type: "ready",
      agent: id,
      resume: resume.secretFor(id, key?.id),
      version,
      limits: { frame_bytes: frameBytesMax },
    });
    const { name, version: own, slots, models, endpoints } = frame;
    const offer = { slots, models, endpoints };
    this.register({ ...offer, id, name, version: own, trusted: trusted || resumed, protocol: "v2" });
  }

  /** The secret is valid only with the key it was issued with. A revoked key voids it. */
  #identify({ agent, resume }: HelloFrame): { id: string; resumed: boolean } {
    const { newId, resume: secrets } = this.options;
    const keyId = this.admitted.key?.id;
    const resumed = agent !== undefined && resume !== undefined && secrets.matches(agent, resume, keyId);
    return { id: resumed ? agent : newId(), resumed };
  }

  #handle(frame: AgentFrame, agent: Agent): void {
    if ("ask" in frame) this.#answer(frame, agent);
    else if (frame.type === "hello") this.refuse("hello_repeated");
    else if (frame.type === "pong") this.#pong(agent);
    else if (this.#mayGoOn()) this.#change(frame, agent);
  }

  #change(frame: ChangeFrame, agent: Agent): void {
    if (frame.type === "pause") {
      this.relay.pause(agent);
      return;
    }
    const { type: _, models, ...offer } = frame;
    this.relay.update(agent, { ...offer, models: models && modelsOfKey(models, this.admitted.key) });
  }

  #pong(agent: Agent): void {
    if (!this.#pingSent) this.#unexpected();
    this.#pingSent = false;
    this.relay.pong(agent);
  }

  #answer(frame: AnswerFrame, agent: Agent): void {
    if (agent.holds(frame.ask)) answer(frame, agent, this.relay);
    else if (this.#cancelled.has(frame.ask)) this.relay.ignored();
    else this.#unexpected();
  }

  #noteCancel(slot: string): void {
    const now = this.options.clock.now();
    for (const [earlier, at] of this.#cancelled) {
      if (now - at < LATE_MS) break;
      this.#cancelled.delete(earlier);
    }
    this.#cancelled.set(slot, now);
  }

  #unexpected(): void {
    if (this.agent) this.relay.ignored();
    this.#mayGoOn();
  }

  /** Counts a frame outside of an ask. Returns false, and closes the connection, if there are too many. */
  #mayGoOn(): boolean {
    const now = this.options.clock.now();
    if (now > this.#framesUntil) {
      this.#frames = 0;
      this.#framesUntil = now + FRAMES_WINDOW_MS;
    }
    const isAllowed = ++this.#frames < FRAMES_MAX;
    if (!isAllowed) this.refuse("frames_bad");
    return isAllowed;
  }

  #refuseFault({ type, fault }: Fault): void {
    if (!this.agent) this.refuse("hello_invalid", type === "hello" || type === undefined ? fault : NOT_HELLO);
    else this.refuse("frame_invalid", type === undefined ? fault : `${type}.${fault}`);
  }
}

/** Returns the headers for the upstream: those of the caller and the trace. */
function headersOf({ headers }: ModelRequest, { traceparent, tracestate }: AskOrigin) {
  if (traceparent === undefined) return headers;
  return { ...headers, traceparent, ...(tracestate !== undefined && { tracestate }) };
}

/** A frame that changes what the agent takes. */
type ChangeFrame = Extract<AgentFrame, { type: "pause" | "update" }>;

/** A frame about an ask that the agent has. */
type AnswerFrame = Extract<AgentFrame, { ask: string }>;

function answer(frame: AnswerFrame, agent: Agent, relay: Relay): void {
  const { type, ask } = frame;
  if (type === "delta") relay.delta(agent, ask, frame);
  else if (type === "accept") relay.accept(agent, ask);
  else if (type === "fail") relay.fail(agent, ask, failureOf(frame), frame.retryable);
  else {
    const { status, body, usage, headers } = frame;
    const failure = failureIn(frame);
    if (failure) relay.fail(agent, ask, failure, isRetryable(failure.upstream?.status ?? 500));
    else relay.done(agent, ask, { kind: "model", status, body, usage, headers });
  }
}

/**
 * Returns the failure that a done frame tells: a status that no answer can have, an error with a good status,
 * or a refusal of the agent's own key. Of the last nothing is passed on, as it may contain parts of the key.
 */
function failureIn({ status, body = "", headers }: DoneFrame): AppError | undefined {
  if (!isAnswerStatus(status)) return statusError(`status ${status} is not that of an answer`);
  if (status === 401 || (status === 403 && isAboutAccount(readUpstreamError(body))))
    return new AppError("agent_failed", { extra: { err: "the upstream refuses the agent's key" } });
  const error = status < 300 ? errorInGoodStatus(body) : undefined;
  if (!error) return undefined;
  const { message, type, code } = error;
  const named = type === "invalid_request_error" ? 400 : undefined;
  const upstream = { status: error.status ?? named, type, code, body, headers };
  return new AppError("agent_failed", { extra: { err: message }, upstream });
}

function statusError(err: string): AppError {
  return new AppError("agent_answer_invalid", { extra: { err } });
}

function failureOf({ error, status, body, headers, retry_after_ms }: FailFrame): AppError {
  const err = oneLine(error.message) ?? "it gave no reason";
  if (status !== undefined && !isAnswerStatus(status)) return statusError(err);
  return new AppError("agent_failed", {
    extra: { err },
    retryAfterMs: retry_after_ms,
    upstream: { status, body, headers, type: error.type ?? undefined, code: error.code ?? undefined },
  });
}

/** The fault of a frame. */
interface Fault {
  /** The frame's type, if it has a known one. */
  type?: string;
  fault: string;
}

function parseFrame(text: string): AgentFrame | "unknown" | Fault {
  const value = parseBoundedJson(text);
  const { success, data: frame, error } = AgentFrame.safeParse(value);
  if (success) return faultInside(frame) ?? frame;
  if (value === undefined) return { fault: "not JSON, or nested too deeply" };
  const type = textField(value, "type");
  if (type === undefined) return { fault: frameFault(error) };
  return AGENT_FRAME_TYPES.has(type) ? { type, fault: frameFault(error) } : "unknown";
}

/** Checks the JSON text in a frame, which is parsed later on. */
function faultInside(frame: AgentFrame): Fault | undefined {
  const { type } = frame;
  const json = type === "delta" ? frame.data : type === "done" ? frame.body : undefined;
  if (json === undefined || jsonExcess(json, Number.POSITIVE_INFINITY) === undefined) return undefined;
  return { type, fault: `${type === "delta" ? "data" : "body"}: nested too deeply` };
}
