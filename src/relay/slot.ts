import type { Cancel, Clock } from "../clock.ts";
import type { Ask } from "./ask.ts";
import type { ModelRequest } from "./types.ts";

/** Room for one ask at an agent, in use from the moment the ask is sent, with the time the agent may take. */
export class Slot {
  /**
   * How far the ask has come. `sent`: another agent may still get it. `accepted`: only if this agent fails in
   * a way that allows it. `started`: no longer, as the caller has some of the answer.
   */
  phase: "sent" | "accepted" | "started" = "sent";
  #stopLimit: Cancel | undefined;
  #heardAt = 0;

  /**
   * The ask becomes undefined when its caller leaves and the agent cannot cancel it: the slot stays in use
   * until the agent answers or the limit is over. The request is the one that the agent got; undefined for
   * v1.
   */
  constructor(
    public ask: Ask | undefined,
    readonly request: ModelRequest | undefined,
    readonly model: string,
    private readonly onLimit: () => void,
  ) {}

  accept(): void {
    if (this.phase === "sent") this.phase = "accepted";
  }

  /** The first delta has come: from now on the pauses of the answer are limited, not the time until it. */
  start(clock: Clock, pauseMs: number): void {
    if (this.phase === "started") return;
    this.phase = "started";
    this.#limitPauses(clock, pauseMs, pauseMs);
  }

  /** Notes that something of the answer has come. */
  heard(now: number): void {
    this.#heardAt = now;
  }

  /** Limits the time until the answer. */
  limit(clock: Clock, limitMs: number): void {
    this.#stopLimit = clock.after(limitMs, this.onLimit);
  }

  /** One timer serves all pauses: when it ends, it is set again for what is left of the present pause. */
  #limitPauses(clock: Clock, pauseMs: number, delayMs: number): void {
    this.#stopLimit?.();
    this.#stopLimit = clock.after(delayMs, () => {
      const leftMs = this.#heardAt + pauseMs - clock.now();
      if (leftMs > 0) this.#limitPauses(clock, pauseMs, leftMs);
      else this.onLimit();
    });
  }

  /** To be called when the slot is free. */
  stopLimit(): void {
    this.#stopLimit?.();
  }
}
