import type { Sent } from "../../relay/types.ts";
import type { EventStream } from "./event-stream.ts";

/** Tells a caller where their ask is: how many asks are before it, and then which agent it was sent to. */
export class AskProgress {
  #sent: Sent | undefined;
  #asksBefore: (() => number) | undefined;
  #events: EventStream | undefined;
  #isTaken = false;

  /** Whether the request has become an ask, which is in the usage however it ends. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  readonly onTaken = (): void => {
    this.#isTaken = true;
  };

  readonly onWaiting = (asksBefore: () => number): void => {
    this.#asksBefore = asksBefore;
  };

  readonly onSent = (sent: Sent): void => {
    this.#sent = sent;
    this.#asksBefore = undefined;
    // Otherwise the headers tell it.
    if (!this.#events?.isStarted) return;
    this.#events.comment(`agent=${headerText(sent.agentId)} queue_ms=${wholeMs(sent)}`);
  };

  /** Names the agent in this stream from now on, if its headers are gone when the ask is sent. */
  follow(events: EventStream): void {
    this.#events = events;
  }

  /** Returns the keep-alive of a stream, with the ask's place in the queue while it waits. */
  keepAlive(usual: string): string {
    const count = this.#asksBefore?.();
    if (count === undefined) return usual;
    const place = `: queued, ${count} before you\n`;
    // A comment is replaced; an event is kept, and the comment comes before it.
    return usual.startsWith(":") ? `${place}\n` : place + usual;
  }

  /** Sets the headers that name the agent which the ask was last sent to, if it was sent to any. */
  setHeaders(headers: Headers): void {
    const sent = this.#sent;
    if (!sent) return;
    headers.set("x-agent-id", headerText(sent.agentId));
    if (sent.agentName !== undefined) headers.set("x-agent-name", headerText(sent.agentName));
    headers.set("x-model", headerText(sent.model));
    headers.set("x-tries", String(sent.tries));
    headers.set("x-queue-ms", String(wholeMs(sent)));
    if (sent.isAffine !== undefined) headers.set("x-affinity", sent.isAffine ? "hit" : "miss");
  }
}

/** A system's clock may be set back. */
const wholeMs = ({ queueMs }: Sent): number => Math.max(0, Math.round(queueMs));

/** Everything but printable ASCII characters, and `%`, so that the value can be decoded. */
const UNSAFE = /[^ -$&-~]+/g;

/** Returns a name as the value of a header. What is not printable ASCII is percent-encoded. */
export function headerText(name: string): string {
  return name.toWellFormed().replace(UNSAFE, encodeURIComponent);
}
