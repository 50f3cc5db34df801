import { type Cancel, type Clock, whenDue } from "../clock.ts";
import type { ServerFrame } from "../protocol/agent-v2.ts";
import type { FrameSender } from "./server/connection.ts";

interface UpstreamLifeOptions {
  ask: Pick<Extract<ServerFrame, { type: "ask" }>, "ask" | "stream" | "deadline_ms">;
  server: Pick<FrameSender, "silenceMs" | "send">;
  clock: Clock;
  /** Called when the upstream has been silent for too long before its answer began. */
  onDeadline: () => void;
}

/** The server hears of a living upstream this often within the silence that it allows. */
const SIGNS_PER_SILENCE = 4;
const SIGN_EVERY_MS_MAX = 10_000;

/**
 * Notes the signs of life of an ask's upstream, and tells the server. Upstreams send comments while a request
 * waits or a model thinks, for ten minutes and more (https://api-docs.deepseek.com/quick_start/rate_limit).
 * An answer that is not streamed has a time limit of its own, whatever the upstream sends.
 */
export class UpstreamLife {
  /** Call it when the answer has begun, or will not come. */
  readonly endDeadline: Cancel;
  #heardAt: number;
  #toldAt: number;

  constructor(private readonly options: UpstreamLifeOptions) {
    const { ask, clock, onDeadline } = options;
    this.#heardAt = clock.now();
    this.#toldAt = this.#heardAt;
    this.endDeadline = whenDue(clock, () => this.#heardAt + ask.deadline_ms, onDeadline);
  }

  /** The upstream has sent something, be it a comment. */
  noteBytes(): void {
    const { ask, server, clock } = this.options;
    if (!ask.stream) return;
    const now = clock.now();
    this.#heardAt = now;
    if (server.silenceMs === undefined) return;
    if (now - this.#toldAt < Math.min(server.silenceMs / SIGNS_PER_SILENCE, SIGN_EVERY_MS_MAX)) return;
    this.#toldAt = now;
    server.send({ type: "alive", ask: ask.ask });
  }

  /** The server gets an event of the answer, which tells it as much. */
  noteEvent(): void {
    this.#toldAt = this.options.clock.now();
  }
}
