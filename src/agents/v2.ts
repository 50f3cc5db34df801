import type { Resume } from "../auth/resume.ts";
import { AppError } from "../errors.ts";
import { jsonExcess } from "../json/bounds.ts";
import { parseBoundedJson } from "../json/parse.ts";
import { AGENT_FRAME_TYPES, AgentFrame, type FailFrame, type HelloFrame } from "../protocol/agent-v2.ts";
import type { CloseReason } from "../protocol/close.ts";
import type { AgentCommand, AgentLink, ModelRequest, Transport } from "../relay/ports.ts";
import type { AskOrigin } from "../relay/record.ts";
import { Line } from "./connection.ts";
import { type AgentSession, allowedModels, type SessionOptions } from "./session.ts";

export interface AgentOptions extends SessionOptions {
  /** Of this server, told to the agent. */
  version: string;
  frameBytesMax: number;
  resume: Resume;
}

/** Frames that nobody asked for, in so long. An agent beyond it is broken or hostile. */
const STRAY_FRAMES_MAX = 1000;
const STRAY_WINDOW_MS = 10_000;

/** What an agent sent before it read of a cancel may be on its way for so long. */
const LATE_MS = 10_000;

/** Speaks our own protocol with one agent: see `protocol/agent.ts` for its frames. */
export function openAgent(options: AgentOptions): AgentSession {
  return new AgentConnection(options);
}

class AgentConnection extends Line<AgentOptions> implements Transport {
  #pingOut = false;
  /** Slots that were cancelled lately, and when, oldest first. */
  readonly #cancelled = new Map<string, number>();
  #strayFrames = 0;
  #strayUntil = 0;

  send(command: AgentCommand): boolean {
    switch (command.kind) {
      case "ping":
        this.#pingOut = true;
        return this.write({ type: "ping" });
      case "cancel":
        this.#noteCancel(command.slot);
        return this.write({ type: "cancel", ask: command.slot });
      case "ask": {
        const { what, model, slot, deadlineMs, origin } = command;
        if (!("endpoint" in what)) return false;
        const { endpoint, stream } = what;
        const body = what.body(model);
        const headers = headersOf(what, origin);
        return this.write({
          type: "ask",
          ask: slot,
          endpoint,
          stream,
          body,
          headers,
          deadline_ms: deadlineMs,
        });
      }
    }
  }

  frame(text: string): void {
    if (this.closed) return;
    const parsed = parseFrame(text);
    if (parsed === "invalid") this.#refuse(this.link ? "frame_invalid" : "hello_invalid");
    else if (parsed === "unknown") this.#stray();
    else if (!this.link) this.#hello(parsed);
    else this.#handle(parsed, this.link);
  }

  #hello(frame: AgentFrame): void {
    if (frame.type !== "hello") {
      this.#refuse("hello_invalid");
      return;
    }
    const { join, address, trusted, key, resume, version, frameBytesMax } = this.options;
    const { id, resumed } = this.#identify(frame);
    const { name, slots, models, endpoints, version: own } = frame;
    this.endHello();
    const ready = {
      agent: id,
      resume: resume.secretFor(id, key?.id),
      version,
      limits: { frame_bytes: frameBytesMax },
    };
    // Before it joins, as joining may send it an ask at once.
    this.write({ type: "ready", ...ready });
    const profile = {
      id,
      name,
      version: own,
      address,
      key,
      trusted: trusted || resumed,
      protocol: "v2" as const,
    };
    this.link = join({ ...profile, slots, models: allowedModels(models, key), endpoints }, this);
    if (!this.link) this.close("id_in_use");
  }

  /** The secret fits only behind the key that it was given behind: with a revoked key it is void. */
  #identify({ agent, resume }: HelloFrame): { id: string; resumed: boolean } {
    const { key, newId, resume: secrets } = this.options;
    const resumed = agent !== undefined && resume !== undefined && secrets.matches(agent, resume, key?.id);
    return { id: resumed ? agent : newId(), resumed };
  }

  #handle(frame: AgentFrame, link: AgentLink): void {
    switch (frame.type) {
      case "hello":
        this.#refuse("hello_repeated");
        return;
      case "pong":
        if (!this.#pingOut) this.#stray();
        this.#pingOut = false;
        link.pong();
        return;
      case "update": {
        const { type: _, models, ...offer } = frame;
        link.update({ ...offer, models: models && allowedModels(models, this.options.key) });
        return;
      }
      case "pause":
        link.pause();
        return;
      default:
        if (link.holds(frame.ask)) answer(frame, link);
        else if (this.#cancelled.has(frame.ask)) link.ignored();
        else this.#stray();
    }
  }

  #noteCancel(slot: string): void {
    const now = this.options.clock.now();
    for (const [earlier, at] of this.#cancelled) {
      if (now - at < LATE_MS) break;
      this.#cancelled.delete(earlier);
    }
    this.#cancelled.set(slot, now);
  }

  #stray(): void {
    this.link?.ignored();
    const now = this.options.clock.now();
    if (now > this.#strayUntil) {
      this.#strayFrames = 0;
      this.#strayUntil = now + STRAY_WINDOW_MS;
    }
    if (++this.#strayFrames >= STRAY_FRAMES_MAX) this.#refuse("frames_bad");
  }

  #refuse(reason: CloseReason): void {
    this.close(reason);
    this.link?.gone();
  }
}

/** Undefined where there are none. */
function headersOf({ headers }: ModelRequest, { traceparent, tracestate }: AskOrigin) {
  if (traceparent === undefined) return headers;
  return { ...headers, traceparent, ...(tracestate !== undefined && { tracestate }) };
}

type AnswerFrame = Extract<AgentFrame, { ask: string }>;

function answer(frame: AnswerFrame, link: AgentLink): void {
  switch (frame.type) {
    case "accept":
      link.accept(frame.ask);
      return;
    case "delta":
      link.delta(frame.ask, frame);
      return;
    case "done": {
      const { ask, status, body, usage, headers } = frame;
      link.done(ask, { kind: "model", status, body, usage, headers });
      return;
    }
    case "fail":
      link.fail(frame.ask, failureOf(frame), frame.retryable);
  }
}

function failureOf({ error, status, body, headers, retry_after_ms }: FailFrame): AppError {
  return new AppError("agent_failed", {
    extra: { err: error.message },
    retryAfterMs: retry_after_ms,
    upstream: { status, body, headers, type: error.type ?? undefined, code: error.code ?? undefined },
  });
}

function parseFrame(text: string): AgentFrame | "unknown" | "invalid" {
  const value = parseBoundedJson(text);
  const result = AgentFrame.safeParse(value);
  if (result.success) return isExcessive(innerJson(result.data)) ? "invalid" : result.data;
  const type = typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
  return typeof type === "string" && !AGENT_FRAME_TYPES.has(type) ? "unknown" : "invalid";
}

/** What is in it as a text, and is parsed further on. */
function innerJson(frame: AgentFrame): string | undefined {
  if (frame.type === "delta") return frame.data;
  return frame.type === "done" ? frame.body : undefined;
}

function isExcessive(json: string | undefined): boolean {
  return json !== undefined && jsonExcess(json, Number.POSITIVE_INFINITY) !== undefined;
}
