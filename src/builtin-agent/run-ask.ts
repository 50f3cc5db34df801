import type { Clock } from "../clock.ts";
import type { ServerFrame } from "../protocol/agent-v2.ts";
import type { FrameSender } from "./connection.ts";
import { ANSWER_TOO_LARGE, ENDED_EARLY, type EndFrame, endFrameOf, failFrame } from "./end-frame.ts";
import { forwardStream } from "./forward-stream.ts";
import { readText, reasonOf } from "./http.ts";
import type { Upstream } from "./upstream.ts";

export type AskFrame = Extract<ServerFrame, { type: "ask" }>;

export interface RunAskOptions {
  ask: AskFrame;
  upstream: Upstream;
  server: FrameSender;
  clock: Clock;
  /** Aborting it ends the upstream's request. Nothing is sent after that. */
  stopping: AbortController;
}

/** How an ask ended, for the log and for the upstream monitor. */
export interface AskEnd {
  result: "done" | "fail" | "cancelled";
  /** The upstream's status; undefined if the upstream could not be reached, or its connection broke. */
  status?: number | undefined;
}

/**
 * Runs one ask against the upstream and sends the frames: `accept` and the answer once it has begun, or
 * `fail`. Never rejects. Once it resolves, the upstream's request is over too.
 */
export async function runAsk(options: RunAskOptions): Promise<AskEnd> {
  const { ask, upstream, server, clock, stopping } = options;
  let begun = false;
  // By then the server has given up and expects nothing.
  const stopDeadline = clock.after(ask.deadline_ms, () => stopping.abort());
  const begin = () => {
    if (begun) return;
    begun = true;
    stopDeadline();
    server.send({ type: "accept", ask: ask.ask });
  };
  let end: EndFrame;
  try {
    const { signal } = stopping;
    const response = await upstream.request(ask.endpoint, ask.body, signal, ask.headers);
    end =
      ask.stream && response.ok && isEventStream(response)
        ? await forwardStream(response, { ask: ask.ask, server, clock, signal, begin })
        : await readAnswer(response, options);
  } catch (error) {
    const reason = `the upstream did not respond: ${reasonOf(error).reason}`;
    end = failFrame(begun ? ENDED_EARLY : reason, !begun);
  }
  stopDeadline();
  if (stopping.signal.aborted) return { result: "cancelled" };
  // Ends the rest of the upstream's request, if any is left.
  stopping.abort();
  if (end.type === "done") begin();
  if (!server.send({ ...end, ask: ask.ask })) {
    end = ANSWER_TOO_LARGE;
    server.send({ ...end, ask: ask.ask });
  }
  return { result: end.type, status: end.status };
}

function isEventStream({ headers }: Response): boolean {
  return /^text\/event-stream\b/i.test(headers.get("content-type") ?? "");
}

async function readAnswer(response: Response, { server, clock }: RunAskOptions): Promise<EndFrame> {
  const body = await readText(response, server.frameBytesMax);
  return body === undefined ? ANSWER_TOO_LARGE : endFrameOf(response, body, clock.now());
}
