import type { Clock } from "../clock.ts";
import type { Log } from "../log/log.ts";
import { isOllamaEndpoint, LARGE_FRAME_BYTES, type ServerFrame } from "../protocol/agent-v2.ts";
import type { Piece } from "../protocol/bytes/window.ts";
import { hasByteAnswer } from "../protocol/endpoints.ts";
import { CreditWindow } from "./bytes/credit-window.ts";
import { forwardBytes, isSentAsBytes } from "./bytes/forward-bytes.ts";
import { IncomingBody } from "./bytes/incoming-body.ts";
import { ANSWER_TOO_LARGE, ENDED_EARLY, type EndFrame, endFrameOf, failFrame } from "./end-frame.ts";
import { forwardStream } from "./forward-stream.ts";
import { failureOf } from "./http.ts";
import { ResponseBody } from "./response-body.ts";
import type { FrameSender } from "./server/connection.ts";
import type { Upstream } from "./upstream.ts";
import { UpstreamLife } from "./upstream-life.ts";

type AskFrame = Extract<ServerFrame, { type: "ask" }>;

interface RunningAsksOptions {
  upstream: Upstream;
  /** Returns how many asks may run at once. */
  slots: () => number;
  clock: Clock;
  log: Log;
  /** Called when a request could not reach the upstream, or its answer broke off. */
  onBroken: () => void;
  /** Called when an ask begins, when its answer begins, and when it has ended. */
  onProgress?: (ask: AskFrame) => void;
}

/** The parts of an ask that pass in bytes. */
interface AskBytes {
  /** Its body, if that comes in bytes. */
  body: IncomingBody | undefined;
  /** Bounds its answer. */
  window: CreditWindow;
}

interface RunningAsk {
  stopping: AbortController;
  bytes: AskBytes | undefined;
  server: FrameSender;
  /** Resolves when the ask has ended. */
  ended: Promise<void>;
}

/** Returns the asks that the agent works on, none at first. */
export function createRunningAsks(options: RunningAsksOptions) {
  const { upstream, slots, clock, log, onBroken, onProgress = () => {} } = options;
  const running = new Map<string, RunningAsk>();
  let leaving = false;

  const refuse = (id: string, message: string, server: FrameSender) =>
    void server.send({ ...failFrame(message, true), ask: id });

  const run = async (ask: AskFrame, server: FrameSender, { stopping, bytes }: RunningAsk) => {
    const startedAt = clock.now();
    onProgress(ask);
    const onBegun = () => onProgress(ask);
    let endedAt: number | undefined;
    const free = () => {
      if (running.get(ask.ask)?.stopping === stopping) running.delete(ask.ask);
    };
    const onAnswered = () => {
      endedAt = clock.now();
      free();
    };
    const { result, status } = await runAsk({
      ...{ ask, bytes, upstream, server, clock, stopping, onBegun, onAnswered },
    });
    bytes?.body?.end();
    // One whose deadline has passed has no last frame.
    free();
    onProgress(ask);
    log.debug("ask_ended", {
      ask: ask.ask,
      trace_id: ask.headers?.["traceparent"]?.split("-")[1],
      endpoint: ask.endpoint,
      outcome: result,
      ms: (endedAt ?? clock.now()) - startedAt,
      status,
    });
    if (status === 401 || (status === 403 && result === "fail"))
      log.warn("upstream_key_refused", { upstream: upstream.label, status });
    if (result === "fail" && status === undefined) onBroken();
  };

  const cancel = (id: string) => {
    const entry = running.get(id);
    entry?.stopping.abort();
    entry?.bytes?.body?.end();
    running.delete(id);
  };

  return {
    /** Whether asks are running. */
    isBusy: () => running.size > 0,
    /** Starts an ask. When leaving, or without a free slot, tells the server to send it elsewhere. */
    start(ask: AskFrame, server: FrameSender) {
      if (running.has(ask.ask)) return;
      if (leaving) return refuse(ask.ask, "the agent is leaving", server);
      if (running.size >= slots()) return refuse(ask.ask, "the agent has no free slot", server);
      const stopping = new AbortController();
      // Added before it runs, as it may end within the call.
      const entry: RunningAsk = { stopping, bytes: bytesOf(ask, server), server, ended: Promise.resolve() };
      running.set(ask.ask, entry);
      entry.ended = run(ask, server, entry);
    },
    /** Takes bytes of an ask's body. */
    push: ({ ask, bytes }: Piece) => running.get(ask)?.bytes?.body?.push(bytes),
    /** The server has taken so many bytes of an ask's answer. */
    credit: (id: string, bytes: number) => running.get(id)?.bytes?.window.add(bytes),
    /** Aborts an ask that nobody waits for any more. Its slot is free at once. */
    cancel,
    /** Aborts all asks, because the connection that they came from is gone. */
    cancelAll(): void {
      for (const id of [...running.keys()]) cancel(id);
    },
    /** Takes no more asks, and resolves when none is running. */
    async finish(): Promise<void> {
      leaving = true;
      while (running.size > 0) await Promise.all([...running.values()].map(({ ended }) => ended));
    },
    /** Ends the running asks and tells the server. */
    abandon(): void {
      for (const [id, { server }] of [...running]) {
        cancel(id);
        refuse(id, "the agent is leaving", server);
      }
    },
  };
}

function bytesOf({ ask, endpoint, upload }: AskFrame, server: FrameSender): AskBytes | undefined {
  if (!hasByteAnswer(endpoint)) return undefined;
  const giveCredit = (bytes: number) => void server.send({ type: "credit", ask, bytes });
  const body =
    upload && new IncomingBody({ contentType: upload.content_type, bytes: upload.bytes, giveCredit });
  return { body, window: new CreditWindow() };
}

/** How long the upstream's response may take to end after its last event. */
const CLOSING_MS = 1000;

interface RunAskOptions {
  ask: AskFrame;
  /** Given for an ask that may be answered in bytes. */
  bytes?: AskBytes | undefined;
  upstream: Upstream;
  server: FrameSender;
  clock: Clock;
  /** Aborting it ends the upstream's request. Nothing is sent after that. */
  stopping: AbortController;
  /** Called when the answer has begun. */
  onBegun?: () => void;
  /** Called right before the ask's last frame is sent, for which the server may send the next ask. */
  onAnswered?: () => void;
}

/** How an ask ended, for the log and for the upstream monitor. */
interface AskEnd {
  result: "done" | "fail" | "cancelled";
  /** The upstream's status; undefined if the upstream could not be reached, or its connection broke. */
  status?: number | undefined;
}

/**
 * Runs one ask against the upstream and sends the frames: the answer, which implies that the ask is accepted, or
 * `fail`. Never rejects. Once it resolves, the upstream's request is over too.
 */
export async function runAsk(options: RunAskOptions): Promise<AskEnd> {
  const { ask, bytes, upstream, server, clock, stopping, onBegun, onAnswered } = options;
  let begun = false;
  // By then the server has given up and expects nothing.
  const life = new UpstreamLife({ ask, server, clock, onDeadline: () => stopping.abort() });
  const begin = () => {
    life.noteEvent();
    if (begun) return;
    begun = true;
    life.endDeadline();
    onBegun?.();
  };
  let end: EndFrame;
  let body: ResponseBody | undefined;
  try {
    const { signal } = stopping;
    if (bytes?.body) bytes.body.onTaken = () => life.noteBytes();
    const response = await upstream.request(ask.endpoint, bytes?.body ?? ask.body, signal, ask.headers);
    life.noteBytes();
    body = new ResponseBody(response, () => life.noteBytes());
    end = await forward({ ...options, begin }, response, body);
  } catch (error) {
    const reason = `the upstream did not respond: ${failureOf(error).reason}`;
    end = failFrame(begun ? ENDED_EARLY : reason, !begun);
  }
  life.endDeadline();
  if (stopping.signal.aborted) return { result: "cancelled" };
  onAnswered?.();
  if (end.type === "done") begin();
  // Its travel may take long, in which no other agent need do the work again.
  if (end.type === "done" && isLarge(end)) server.send({ type: "accept", ask: ask.ask });
  if (!server.send({ ...end, ask: ask.ask })) {
    end = ANSWER_TOO_LARGE;
    server.send({ ...end, ask: ask.ask });
  }
  if (end.type === "done") await body?.drop(clock, CLOSING_MS);
  // Ends the rest of the upstream's request, if any is left.
  if (!body?.isComplete) stopping.abort();
  return { result: end.type, status: end.status };
}

/**
 * Forwards the upstream's answer: in bytes, event by event, or as one frame. Most answers are one frame, and wait for
 * nothing more than that.
 */
function forward(
  options: RunAskOptions & { begin: () => void },
  response: Response,
  body: ResponseBody,
): Promise<EndFrame> {
  const { ask, bytes, server, clock, stopping, begin } = options;
  const shared = { ask: ask.ask, server, signal: stopping.signal, begin };
  if (bytes && isSentAsBytes(response))
    return forwardBytes(response, body, { ...shared, window: bytes.window });
  if (!ask.stream || !response.ok) return readAnswer(response, body, options);
  const isLines = isOllamaEndpoint(ask.endpoint);
  return (isLines ? body.isJson() : body.isEventStream()).then((isStream) =>
    isStream
      ? forwardStream(response, { ...shared, clock, isLines }, body)
      : readAnswer(response, body, options),
  );
}

const isLarge = ({ body = "" }: EndFrame): boolean => body.length >= LARGE_FRAME_BYTES;

async function readAnswer(
  response: Response,
  body: ResponseBody,
  { server, clock }: RunAskOptions,
): Promise<EndFrame> {
  const text = await body.text(server.frameBytesMax);
  // JSON has no byte order mark.
  return text === undefined
    ? ANSWER_TOO_LARGE
    : endFrameOf(response, text.replace(/^\ufeff/, ""), clock.now());
}
