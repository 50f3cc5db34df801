import type { ServerFrame } from "../protocol/agent-v2.ts";
import type { Clock } from "./clock.ts";
import { readText, reasonOf } from "./http.ts";
import { ENDED_EARLY, failure, frameOf, type Outcome, outcomeOf, TOO_LARGE } from "./outcome.ts";
import type { Replies } from "./replies.ts";
import { passStream } from "./stream.ts";
import type { Upstream } from "./upstream.ts";

export type AskFrame = Extract<ServerFrame, { type: "ask" }>;

export interface AnswerOptions {
  ask: AskFrame;
  upstream: Upstream;
  replies: Replies;
  clock: Clock;
  /** Aborting it ends the upstream's request; then nothing more is sent. */
  stopping: AbortController;
}

/** How an ask ended, for the log and for who watches the upstream. */
export interface Ending {
  outcome: "done" | "fail" | "cancelled";
  /** The upstream's; undefined where the connection to it could not be had, or broke. */
  status?: number | undefined;
}

/**
 * Does one ask and sends what comes of it: `accept` and then the answer once that has begun, or `fail`. Never
 * rejects. When it resolves, the request to the upstream is over too.
 */
export async function answer(options: AnswerOptions): Promise<Ending> {
  const { ask, upstream, replies, clock, stopping } = options;
  let begun = false;
  // The server has given up by then, and expects nothing.
  const stopDeadline = clock.after(ask.deadline_ms, () => stopping.abort());
  const begin = () => {
    if (begun) return;
    begun = true;
    stopDeadline();
    replies.send({ type: "accept", ask: ask.ask });
  };
  let outcome: Outcome;
  try {
    const { signal } = stopping;
    const response = await upstream.request(ask.endpoint, ask.body, signal, ask.headers);
    outcome =
      ask.stream && response.ok && isEventStream(response)
        ? await passStream(response, { ask: ask.ask, replies, clock, signal, begin })
        : await readOutcome(response, options);
  } catch (error) {
    const reason = `the upstream does not answer: ${reasonOf(error).reason}`;
    outcome = failure(begun ? ENDED_EARLY : reason, !begun);
  }
  stopDeadline();
  if (stopping.signal.aborted) return { outcome: "cancelled" };
  // Ends what is left of the upstream's request, for whatever reason it is left.
  stopping.abort();
  if (outcome.type === "done") begin();
  if (!replies.send(frameOf(outcome, ask.ask))) {
    outcome = TOO_LARGE;
    replies.send(frameOf(outcome, ask.ask));
  }
  return { outcome: outcome.type, status: outcome.status };
}

function isEventStream({ headers }: Response): boolean {
  return /^text\/event-stream\b/i.test(headers.get("content-type") ?? "");
}

async function readOutcome(response: Response, { replies, clock }: AnswerOptions): Promise<Outcome> {
  const body = await readText(response, replies.frameBytesMax);
  return body === undefined ? TOO_LARGE : outcomeOf(response, body, clock.now());
}
