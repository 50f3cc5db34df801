import type { AppError } from "../errors.ts";
import type { CloseReason } from "../protocol/close.ts";
import type { Agent, Offer } from "./agent.ts";
import type { Hub } from "./hub.ts";
import type { ModelBook } from "./models.ts";
import type { Placing } from "./placing.ts";
import type { AgentLink, Answer, Clock, Delta } from "./ports.ts";
import type { Running } from "./running.ts";
import type { Watch } from "./watch.ts";

export interface LinkedParts {
  clock: Clock;
  hub: Hub;
  watch: Watch;
  running: Running;
  placing: Placing;
  book: ModelBook;
  ignored(): void;
  /** The agent's socket is closed. */
  lost(agent: Agent, reason: CloseReason | undefined): void;
}

/** What one agent's adapter is given; see `AgentLink`. A class, as there are tens of thousands. */
export class Link implements AgentLink {
  readonly #parts: LinkedParts;
  readonly #agent: Agent;

  constructor(parts: LinkedParts, agent: Agent) {
    this.#parts = parts;
    this.#agent = agent;
  }

  pong(): void {
    const { hub, watch, placing } = this.#parts;
    if (!hub.has(this.#agent)) return;
    watch.heard(this.#agent);
    placing.serve(this.#agent);
  }

  holds(slot: string): boolean {
    return this.#agent.inUse.has(slot);
  }

  accept(slot: string): void {
    this.#parts.running.accept(this.#agent, slot);
  }

  delta(slot: string, delta: Delta): void {
    this.#parts.running.delta(this.#agent, slot, delta);
  }

  done(slot: string, answer: Answer): void {
    this.#parts.running.done(this.#agent, slot, answer);
  }

  fail(slot: string, error: AppError, retryable: boolean): void {
    this.#parts.running.fail(this.#agent, slot, error, retryable);
  }

  update(offer: { [Part in keyof Offer]?: Offer[Part] | undefined }): void {
    const { book, clock, hub, placing } = this.#parts;
    const { slots, models, endpoints } = this.#agent.offer;
    const changed = {
      slots: offer.slots ?? slots,
      models: offer.models ?? models,
      endpoints: offer.endpoints ?? endpoints,
    };
    book.note(changed.models, clock.now());
    hub.change(this.#agent, { offer: changed, paused: false });
    placing.changed(this.#agent);
  }

  pause(): void {
    const { hub, placing } = this.#parts;
    hub.change(this.#agent, { paused: true });
    placing.changed(this.#agent);
  }

  writable(isWritable: boolean): void {
    const { clock, hub, placing } = this.#parts;
    const congestedAt = isWritable ? undefined : (this.#agent.congestedAt ?? clock.now());
    hub.change(this.#agent, { congestedAt });
    placing.serve(this.#agent);
  }

  ignored(): void {
    this.#parts.ignored();
  }

  gone(reason?: CloseReason): void {
    this.#parts.lost(this.#agent, reason);
  }
}
