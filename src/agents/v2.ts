import type { Resume } from "../auth/resume.ts";
import { parseBoundedJson } from "../json/parse.ts";
import { mayRefuseField } from "../protocol/added-fields.ts";
import { type AgentFrame, type HelloFrame, LIST_LENGTH_MAX } from "../protocol/agent-v2.ts";
import { hasByteAnswer } from "../protocol/endpoints.ts";
import type { Agent } from "../relay/agent.ts";
import type { AskOrigin } from "../relay/record.ts";
import type { AgentCommand, ModelRequest } from "../relay/types.ts";
import { type AskEnd, endOf, endOfFirstEvent, endOfTooDeep } from "./ask-end.ts";
import { ByteConnection } from "./byte-connection.ts";
import { type ConnectionOptions, modelsOfKey } from "./connection.ts";
import {
  type AnswerFrame,
  belongsToAsk,
  type DeltaFrame,
  type Fault,
  isTooDeep,
  type OtherFrame,
  type ParsedFrame,
  readFrame,
} from "./frames.ts";
import { type SentAsk, TakenBack } from "./taken-back.ts";

export interface V2Options extends ConnectionOptions {
  /** The server's version, which the agent is sent. */
  version: string;
  frameBytesMax: number;
  /** The shortest silence for which an ask may fail. */
  silenceMs: number;
  resume: Resume;
}

/** Frames outside of an ask within the window. An agent that sends more is broken or hostile. */
const FRAMES_MAX = 1000;
const FRAMES_WINDOW_MS = 10_000;

/** How long after a cancel the frames may still arrive that the agent sent before it read the cancel. */
const LATE_MS = 10_000;

/** An agent waits 90 s for a sign of the server, in which this much arrives on a slow line. */
const ANNOUNCED_LENGTH = 1024 * 1024;

const NOT_HELLO = "the first frame must be a hello";

/** The connection of an agent that speaks v2. See `protocol/agent-v2.ts` for the frames. */
export class V2Connection extends ByteConnection<V2Options> {
  readonly protocol = "v2";
  #pingSent = false;
  /** Slots that were cancelled lately with the time, oldest first. */
  readonly #cancelled = new Map<string, number>();
  /** Made with the first ask, as many agents are idle. */
  #takenBack: TakenBack | undefined;
  #frames = 0;
  #framesUntil = 0;

  send(command: AgentCommand): boolean {
    switch (command.kind) {
      case "ping":
        return this.#ping();
      case "cancel":
        return this.cancel(command.slot);
      case "update":
        return this.write({ type: "update" });
      case "ask": {
        const { request } = command;
        if (!("endpoint" in request)) return false;
        this.#takenBack ??= new TakenBack(this.options);
        return this.#takenBack.begin({ ...command, request }, (ask, isLate) => this.#first(ask, isLate));
      }
    }
  }

  #ping(): boolean {
    this.#pingSent = true;
    const isSent = this.write({ type: "ping" });
    this.markSent();
    return isSent;
  }

  /** Sends an ask for the first time. If that is later than the command came, nobody else looks at the result. */
  #first(ask: SentAsk, isLate: boolean): boolean {
    const isSent = this.#ask(ask);
    if (!isSent && isLate) this.lost("frames_dropped");
    return isSent;
  }

  #ask({ command, id, refused, body }: SentAsk): boolean {
    const { request, deadlineMs, origin, model } = command;
    const { upload, endpoint } = request;
    if (body.length >= ANNOUNCED_LENGTH) this.write({ type: "announce", bytes: body.length });
    const reader = upload?.open(model);
    const isSent = this.write({
      type: "ask",
      ask: id,
      endpoint,
      stream: request.stream && !refused.has("stream"),
      body,
      upload: upload && reader && { content_type: upload.contentType, bytes: reader.bytes },
      headers: headersOf(request, origin),
      deadline_ms: deadlineMs,
    });
    if (isSent && hasByteAnswer(endpoint)) this.beginBytes(id, reader);
    return isSent;
  }

  protected cancel(slot: string): boolean {
    const id = this.#takenBack?.idOf(slot) ?? slot;
    this.#takenBack?.end(slot, "other");
    this.endBytes(id);
    this.#noteCancel(id);
    return this.write({ type: "cancel", ask: id });
  }

  protected frame(text: string): void {
    const value = parseBoundedJson(text);
    if (value === undefined) this.take({ fault: "not JSON, or nested too deeply" });
    else if (Array.isArray(value) && value.length > 0 && this.agent) this.#takeList(value, text.length);
    else this.take(readFrame(value));
  }

  /** Takes the frames of a list in one message, as an agent under load has many small ones. */
  #takeList(values: unknown[], length: number): void {
    if (length > LIST_LENGTH_MAX) this.take({ fault: "the list of frames is too long" });
    // The fault, or a frame, may close the connection.
    for (const value of values) if (this.isOpen) this.take(readFrame(value));
  }

  /** Takes a frame, or what is wrong with it. */
  protected take(parsed: ParsedFrame): void {
    if (parsed === "unknown") this.#unexpected();
    else if ("fault" in parsed) this.#refuseFault(parsed);
    else if (this.agent) this.#handle(parsed, this.agent);
    else if (parsed.type === "hello") this.#hello(parsed);
    else this.refuse("hello_invalid", NOT_HELLO);
  }

  #hello(frame: HelloFrame): void {
    const { resume, version, frameBytesMax, silenceMs } = this.options;
    const { id, resumed } = this.#identify(frame);
    // Sent before the agent is registered, as the relay may send it an ask at once.
    this.write({
      type: "ready",
      agent: id,
      resume: resume.secretFor(id, this.admitted.key?.id),
      version,
      limits: { frame_bytes: frameBytesMax, silence_ms: silenceMs, list_length: LIST_LENGTH_MAX },
    });
    const { type: _, agent: __, resume: ___, priority, weight, tags, ...said } = frame;
    const { transport } = this.admitted;
    this.takesBytes = transport !== "long-polling" && frame.capabilities?.includes("bytes") === true;
    const endpoints = this.possible(said.endpoints);
    this.register({ ...said, endpoints, id, resumed, protocol: "v2" }, { priority, weight, tags });
  }

  /** The secret is valid only with the key it was issued with, or without a key. A revoked key voids it. */
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
    else if (belongsToAsk(frame, agent) || this.#mayGoOn()) this.#other(frame, agent);
  }

  #other(frame: OtherFrame, agent: Agent): void {
    if (frame.type === "pause") this.relay.pause(agent);
    else if (frame.type === "announce") this.relay.announced(agent, frame.bytes);
    else {
      const { type: _, models, endpoints, priority, weight, tags, ...offer } = frame;
      this.claims({ priority, weight, tags });
      this.relay.update(agent, {
        ...offer,
        models: models && modelsOfKey(models, this.admitted.key),
        endpoints: endpoints && this.possible(endpoints),
      });
    }
  }

  #pong(agent: Agent): void {
    if (this.#pingSent) this.markRead();
    else this.#unexpected();
    this.#pingSent = false;
    this.relay.pong(agent);
  }

  #answer(frame: AnswerFrame, agent: Agent): void {
    const slot = this.#takenBack ? this.#takenBack.slotOf(frame.ask) : frame.ask;
    if (slot !== undefined && agent.holds(slot)) {
      if (isTooDeep(frame)) this.#endEarly(frame, endOfTooDeep(), slot, agent);
      else if (frame.type === "delta") this.#delta(frame, slot, agent);
      else if (frame.type === "done" || frame.type === "fail")
        this.#end(endOf(frame, hasBegun(slot, agent)), slot, agent);
      else this.#progress(frame, slot, agent);
    } else this.unexpectedFor(frame.ask);
  }

  #progress(frame: ProgressFrame, slot: string, agent: Agent): void {
    if (frame.type === "accept") this.relay.accept(agent, slot);
    else if (frame.type === "alive") this.relay.alive(agent, slot);
    else this.answerBytes(frame, agent);
  }

  /** A frame came for an ask that the agent does not have, any more at least. */
  protected unexpectedFor(ask: string): void {
    if (this.#cancelled.has(ask)) this.relay.ignored();
    else this.#unexpected();
  }

  #delta(frame: DeltaFrame, slot: string, agent: Agent): void {
    const end = hasBegun(slot, agent) ? undefined : endOfFirstEvent(frame.data);
    if (end) this.#endEarly(frame, end, slot, agent);
    else this.relay.delta(agent, slot, frame);
  }

  /** Ends an ask by a frame, after which the agent may send more. That is of no use. */
  #endEarly(frame: AnswerFrame, end: AskEnd, slot: string, agent: Agent): void {
    if (frame.type === "delta") {
      this.#noteCancel(frame.ask);
      this.write({ type: "cancel", ask: frame.ask });
    }
    this.#end(end, slot, agent);
  }

  #end(end: AskEnd, slot: string, agent: Agent): void {
    const refusal = end.error !== undefined && mayRefuseField(end.status) ? end.error : undefined;
    this.endBytes(slot);
    const settle = () => {
      const isGood = end.error === undefined && !end.failure;
      this.#takenBack?.end(slot, isGood ? "good" : refusal === undefined ? "other" : "refused");
      if (end.failure) this.relay.fail(agent, slot, end.failure, end.isRetryable);
      else this.relay.done(agent, slot, end.answer);
    };
    // Once the caller has a part of the answer, it is too late.
    if (refusal === undefined || !this.#takenBack || hasBegun(slot, agent)) settle();
    else
      this.#takenBack.askAgain(slot, refusal, (again) => {
        if (!again || !this.#ask(again)) settle();
      });
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

type ProgressFrame = Exclude<AnswerFrame, { type: "delta" | "done" | "fail" }>;

/** Returns the headers for the upstream: those of the caller and the trace. */
function headersOf({ headers }: ModelRequest, { traceparent, tracestate }: AskOrigin) {
  if (traceparent === undefined) return headers;
  return { ...headers, traceparent, ...(tracestate !== undefined && { tracestate }) };
}

/** Whether the caller has a part of the answer. */
const hasBegun = (slot: string, agent: Agent): boolean => agent.inUse.get(slot)?.phase === "started";
