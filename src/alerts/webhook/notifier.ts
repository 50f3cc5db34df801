import type { Cancel, Clock } from "../../clock.ts";
import { HOUR_MS, MINUTE_MS } from "../../durations.ts";
import type { Log } from "../../log/log.ts";
import type { Problem } from "../../protocol/node/problems.ts";
import { idOf } from "../finding.ts";
import { type Change, Reported } from "./changes.ts";
import type { Deliver, Delivery } from "./deliver.ts";
import { type Message, messageOf, testMessage } from "./message.ts";
import type { WebhookSettings, WebhookSource } from "./settings.ts";

interface NotifierOptions {
  webhook: WebhookSource;
  /** The problems of all nodes. */
  problems: () => readonly Problem[];
  /** Whether this node reports the problems of all. */
  isSender: () => boolean;
  deliver: Deliver;
  server: Message["server"];
  newId: () => string;
  clock: Clock;
  log: Pick<Log, "info" | "warn">;
}

/** The result of a test message. */
export interface TestResult extends Pick<Delivery, "isDelivered" | "status" | "answer"> {
  format: WebhookSettings["format"];
}

/** Problems that begin within this time are in one message. */
const GATHER_MS = 3_000;
/** At most six messages in a minute, and after 30 in an hour one in five minutes. */
const GAP_MS = 10_000;
const HOURLY_MAX = 30;
const LONG_GAP_MS = 5 * MINUTE_MS;
/** The pauses before further tries: 8 tries in 20 minutes. */
const PAUSES_MS = [5_000, 15_000, 45_000, 120_000, 300_000, 300_000, 300_000];
/** A receiver may ask for a longer pause, but not for any. */
const RETRY_AFTER_MS_MAX = 10 * MINUTE_MS;
/** Changes that did not arrive are reported with the next one, or without one after this time. */
const AGAIN_MS = HOUR_MS;

/** A message on its way. */
interface Sending {
  message: Message;
  changes: readonly Change[];
  tries: number;
  stop: AbortController;
  cancelRetry: Cancel | undefined;
}

/**
 * Reports to the webhook what has changed. There is one message on its way at most. What changes meanwhile waits, as a
 * difference and not as messages, so that a receiver that is away costs neither memory nor a flood when it is back.
 */
export class Notifier {
  readonly #reported = new Reported();
  readonly #ending = new AbortController();
  /** The address of the receiver of the earlier messages. */
  #target: string | undefined;
  #wasSender = false;
  #sending: Sending | undefined;
  #changedSince: number | undefined;
  #sentAt: number[] = [];
  #failure: string | undefined;
  /** The changes that did not arrive, and when they are tried again without a further one. */
  #givenUp: { changes: string; until: number } | undefined;

  constructor(private readonly options: NotifierOptions) {}

  /** Why the last message was not delivered; undefined if it was. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Looks whether there is something to report. Call it once a second. */
  tick(): void {
    const settings = this.options.webhook.current();
    this.#follow(settings);
    if (!settings || this.#ending.signal.aborted) return;
    const { severityMin } = settings;
    const isOwn = this.#takesOver();
    if (this.#sending) return;
    const now = this.#problems();
    const changes = isOwn ? this.#reported.changes(now, severityMin) : [];
    const isSent = this.#isDue(changes);
    if (isSent) this.#begin(changes, settings);
    // Another node reports them. Without a change there may still be parts of groups to note.
    if (isSent || changes.length === 0) this.#reported.note(now, severityMin, this.options.clock.now());
  }

  /** Sends a test message now. Resolves with undefined if there is no webhook. */
  async test(): Promise<TestResult | undefined> {
    const settings = this.options.webhook.current();
    if (!settings) return undefined;
    const message = testMessage(this.#messageParts(settings));
    const delivery = await this.options.deliver(message, settings, this.#ending.signal);
    if (delivery.isDelivered && settings.url === this.#target) this.#works();
    const { isDelivered, status, answer } = delivery;
    return { isDelivered, status, answer, format: settings.format };
  }

  /** Ends what is on its way. */
  stop(): void {
    this.#ending.abort();
    this.#drop();
  }

  /** Leaves out that the webhook fails, which it cannot report. */
  #problems(): Problem[] {
    return this.options.problems().filter(({ code }) => code !== "webhook_failing");
  }

  #messageParts({ severityMin }: WebhookSettings) {
    const { newId, clock, server } = this.options;
    const open = this.#reported.countOf(this.#problems(), severityMin);
    return { id: newId(), at: clock.now(), open, server };
  }

  /** The receiver takes messages, so what waits for another try is sent now. */
  #works(): void {
    this.#failure = undefined;
    this.#givenUp = undefined;
    const waiting = this.#sending;
    if (!waiting?.cancelRetry) return;
    waiting.cancelRetry();
    void this.#attempt(waiting);
  }

  /** Another receiver knows nothing yet. */
  #follow(settings: WebhookSettings | undefined): void {
    if (settings?.url === this.#target) return;
    this.#target = settings?.url;
    this.#drop();
    this.#reported.clear();
    this.#failure = undefined;
    this.#givenUp = undefined;
  }

  /** Returns whether this node reports the problems. Its predecessor may not have reported the last ones. */
  #takesOver(): boolean {
    const { isSender, clock } = this.options;
    const isOwn = isSender();
    if (isOwn && !this.#wasSender) this.#reported.takeOver(clock.now());
    if (!isOwn) this.#drop();
    this.#wasSender = isOwn;
    return isOwn;
  }

  #drop(): void {
    this.#sending?.stop.abort();
    this.#sending?.cancelRetry?.();
    this.#sending = undefined;
    this.#changedSince = undefined;
  }

  #isDue(changes: readonly Change[]): boolean {
    const now = this.options.clock.now();
    if (changes.length === 0) {
      this.#changedSince = undefined;
      return false;
    }
    this.#changedSince ??= now;
    if (now - this.#changedSince < GATHER_MS) return false;
    if (this.#givenUp?.changes === namesOf(changes) && now < this.#givenUp.until) return false;
    this.#sentAt = this.#sentAt.filter((at) => now - at < HOUR_MS);
    const gapMs = this.#sentAt.length >= HOURLY_MAX ? LONG_GAP_MS : GAP_MS;
    return now - (this.#sentAt.at(-1) ?? Number.NEGATIVE_INFINITY) >= gapMs;
  }

  #begin(changes: readonly Change[], settings: WebhookSettings): void {
    this.#changedSince = undefined;
    this.#sentAt.push(this.options.clock.now());
    const message = messageOf(changes, this.#messageParts(settings));
    this.#sending = { message, changes, tries: 0, stop: new AbortController(), cancelRetry: undefined };
    void this.#attempt(this.#sending);
  }

  async #attempt(own: Sending): Promise<void> {
    const { webhook, deliver, log } = this.options;
    const settings = webhook.current();
    if (!settings) {
      this.#drop();
      return;
    }
    own.tries++;
    own.cancelRetry = undefined;
    const delivery = await deliver(own.message, settings, own.stop.signal);
    if (this.#sending !== own) return;
    if (!delivery.isDelivered) {
      this.#failed(own, delivery);
      return;
    }
    this.#failure = undefined;
    this.#givenUp = undefined;
    this.#sending = undefined;
    const { id, lines } = own.message;
    log.info("alert_sent", { id, status: delivery.status, tries: own.tries, lines: lines.length });
  }

  #failed(own: Sending, delivery: Delivery): void {
    const { clock, log } = this.options;
    this.#failure = failureOf(delivery);
    const pauseMs = delivery.isRetryable ? PAUSES_MS[own.tries - 1] : undefined;
    const waitMs = pauseMs && Math.max(pauseMs, Math.min(delivery.retryAfterMs ?? 0, RETRY_AFTER_MS_MAX));
    const { status } = delivery;
    const fields = { id: own.message.id, status, tries: own.tries, cause: this.#failure };
    log.warn("alert_failed", { ...fields, retry_ms: waitMs });
    if (waitMs === undefined) this.#giveUp(own);
    else own.cancelRetry = clock.after(waitMs, () => void this.#attempt(own));
  }

  #giveUp({ changes }: Sending): void {
    this.#sending = undefined;
    this.#reported.undo(changes);
    this.#givenUp = { changes: namesOf(changes), until: this.options.clock.now() + AGAIN_MS };
  }
}

/** Identifies the changes. What is reported again is said to have begun. */
const namesOf = (changes: readonly Change[]): string =>
  changes.map(({ event, problem }) => `${event === "ended" ? "-" : "+"}${idOf(problem)}`).join("\n");

function failureOf({ status, answer }: Delivery): string {
  if (status === undefined) return answer;
  return `it answered with status ${status}${answer === "" ? "" : ` (${answer})`}`;
}
