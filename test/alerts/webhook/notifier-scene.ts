import { mergeProblems } from "../../../src/alerts/merge.ts";
import type { Deliver, Delivery } from "../../../src/alerts/webhook/deliver.ts";
import type { Message } from "../../../src/alerts/webhook/message.ts";
import { Notifier } from "../../../src/alerts/webhook/notifier.ts";
import type { WebhookSettings } from "../../../src/alerts/webhook/settings.ts";
import type { Problem } from "../../../src/protocol/node/problems.ts";
import { createFakeClock } from "../../support/clock.ts";
import { settle } from "../../support/relay.ts";

export const OK: Delivery = {
  ...{ isDelivered: true, isRetryable: false, status: 200, answer: "ok", retryAfterMs: undefined },
};
export const BUSY: Delivery = { ...OK, isDelivered: false, isRetryable: true, status: 503, answer: "busy" };
export const GONE: Delivery = { ...BUSY, isRetryable: false, status: 404, answer: "" };

/** A notifier on a fake clock, whose receiver answers as `answers` says, and then well. */
export function scene(answers: (Delivery | Promise<Delivery>)[] = []) {
  const clock = createFakeClock();
  const sent: { message: Message; at: number; url: string }[] = [];
  const state = {
    problems: [] as Problem[],
    isSender: true,
    webhook: {
      ...{ url: "https://a.example.com/", format: "generic", secret: undefined, severityMin: "warning" },
    } as WebhookSettings | undefined,
  };
  const logged: string[] = [];
  const deliver: Deliver = async (message, { url }) => {
    sent.push({ message, at: clock.now(), url });
    return answers.shift() ?? OK;
  };
  const log = (event: string) => void logged.push(event);
  const notifier = new Notifier({
    webhook: { current: () => state.webhook },
    problems: () => mergeProblems(state.problems),
    isSender: () => state.isSender,
    ...{ deliver, clock, newId: () => `id-${sent.length}`, log: { info: log, warn: log } },
    server: { name: "chat", version: "1", url: undefined },
  });
  return {
    ...{ state, sent, logged, notifier, clock },
    async pass(seconds: number) {
      for (let second = 0; second < seconds; second++) {
        clock.advance(1_000);
        notifier.tick();
        await settle();
      }
    },
    /** The messages so far, as the events and ids of their lines. */
    reported: () => sent.map(({ message }) => message.lines.map(({ event, id }) => `${event} ${id}`)),
  };
}
