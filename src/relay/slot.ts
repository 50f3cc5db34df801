import { type Cancel, type Clock, whenDue } from "../clock.ts";
import type { Ask } from "./ask.ts";
import type { Circuit } from "./health/circuit.ts";
import type { Answer, AskResult, ModelRequest, RelayLimits } from "./types.ts";

/** How long an agent may take to say that an answer is complete. The built-in agent itself waits 10 s. */
const WRAP_UP_MS = 15_000;

/** How long an agent may say nothing of an answer, and how long the whole answer may take. */
interface SlotLimits {
  silenceMs: number;
  totalMs: number;
}

/** Returns the limits of an ask that is sent as this request; undefined for v1. */
export function slotLimits(request: ModelRequest | undefined, limits: RelayLimits): SlotLimits {
  if (request?.stream) return { silenceMs: limits.firstByteMs, totalMs: limits.wholeStreamMs };
  const totalMs = request ? limits.wholeAnswerMs : limits.firstByteMs;
  return { silenceMs: totalMs, totalMs };
}

/** Room for one ask at an agent, in use from the moment the ask is sent, with the time the agent may take. */
export class Slot {
  /**
   * How far the ask has come. `held`: its node has not taken the slot yet. `sent`: another agent may still get it. `accepted`: only if this agent fails in
   * a way that allows it. `started`: no longer, as the caller has some of the answer.
   */
  phase: "held" | "sent" | "accepted" | "started" = "sent";
  /** When the ask was sent, in milliseconds since 1970. */
  sentAt = 0;
  /** The circuit that the outcome of the ask may decide about. */
  probeOf: Circuit | undefined;
  /** Whether it was the probe of that circuit until its end. */
  wasProbe = false;
  /** Whether the upstream has to load the model for it. */
  isLoading = false;
  #stopLimit: Cancel | undefined;
  #silenceMs = 0;
  #graceMs = 0;
  #heardAt = 0;
  #isComplete = false;
  #endsAt = 0;

  /**
   * The ask becomes undefined when its caller leaves and the agent cannot cancel it: the slot stays in use
   * until the agent answers or the limit is over. The request is the one that the agent got; undefined for
   * v1.
   */
  constructor(
    public ask: Ask | undefined,
    public request: ModelRequest | undefined,
    readonly model: string,
    private readonly onLimit: () => void,
  ) {}

  accept(): void {
    if (this.phase === "sent") this.phase = "accepted";
  }

  /** The slot is held for another node, for `limitMs` at most. */
  hold(clock: Clock, limitMs: number, now: number): void {
    this.phase = "held";
    this.limit(clock, { silenceMs: limitMs, totalMs: limitMs }, now);
  }

  /** The other node takes the slot for this request; undefined for v1. */
  take(request: ModelRequest | undefined): void {
    this.phase = "sent";
    this.request = request;
  }

  /** The ask is sent: its limits begin. Each is longer by `graceMs`. */
  limit(clock: Clock, { silenceMs, totalMs }: SlotLimits, now: number, graceMs = 0): void {
    this.#graceMs = graceMs;
    this.sentAt = now;
    this.#heardAt = now;
    this.#endsAt = now + totalMs;
    this.#limitSilence(clock, silenceMs);
  }

  /**
   * A delta has come: from now on the pauses of the answer are limited, not the time until it. If all of the
   * answer has come, only the agent's word for it is missing, which is not worth a long wait.
   */
  passedOn(clock: Clock, isComplete: boolean, pauseMs: number): void {
    this.phase = "started";
    this.#isComplete = isComplete;
    const silenceMs = isComplete ? Math.min(pauseMs, WRAP_UP_MS) : pauseMs;
    if (silenceMs !== this.#silenceMs) this.#limitSilence(clock, silenceMs);
  }

  resultOf(agent: string, answer: Answer): AskResult {
    return { answer, agent, model: this.model, request: this.request };
  }

  /** Notes that something of the answer has come. */
  heard(now: number): void {
    this.#heardAt = now;
  }

  /** Notes that the upstream works on the answer. Once all of it has come, there is nothing to work on. */
  alive(now: number): void {
    if (!this.#isComplete) this.heard(now);
  }

  #limitSilence(clock: Clock, silenceMs: number): void {
    this.#silenceMs = silenceMs;
    this.#stopLimit?.();
    const dueAt = () => Math.min(this.#heardAt + silenceMs, this.#endsAt) + this.#graceMs;
    this.#stopLimit = whenDue(clock, dueAt, this.onLimit);
  }

  /** To be called when the slot is free. */
  end(): void {
    this.#stopLimit?.();
    if (this.probeOf?.probe !== this) return;
    this.probeOf.probe = undefined;
    this.wasProbe = true;
  }
}
