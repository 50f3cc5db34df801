import type { Log } from "../log/log.ts";
import { type AskFrame, answer } from "./answer.ts";
import type { Clock } from "./clock.ts";
import { failure, frameOf } from "./outcome.ts";
import type { Replies } from "./replies.ts";
import type { Upstream } from "./upstream.ts";

export interface AsksOptions {
  upstream: Upstream;
  slots: number;
  clock: Clock;
  log: Log;
  /** A request could not reach the upstream, or its answer broke off. */
  onBroken: () => void;
}

interface Running {
  stopping: AbortController;
  replies: Replies;
  over: Promise<void>;
}

/** The asks that run, and the ways in which they end before they are done. */
export interface Asks {
  /** Begins one, or says at once that another agent should: when no slot is free, or this agent is leaving. */
  start(ask: AskFrame, replies: Replies): void;
  /** Nobody waits for it any more: its slot is free again at once. */
  cancel(id: string): void;
  /** The connection that they came by is gone. */
  cancelAll(): void;
  /** Takes no more, and resolves when none runs. */
  finish(): Promise<void>;
  /** Ends those that run and says so to the server. */
  abandon(): void;
}

export function createAsks({ upstream, slots, clock, log, onBroken }: AsksOptions): Asks {
  const running = new Map<string, Running>();
  let leaving = false;

  const refuse = (id: string, message: string, replies: Replies) =>
    void replies.send(frameOf(failure(message, true), id));

  const run = async (ask: AskFrame, replies: Replies, stopping: AbortController) => {
    const startedAt = clock.now();
    const { outcome, status } = await answer({ ask, upstream, replies, clock, stopping });
    if (running.get(ask.ask)?.stopping === stopping) running.delete(ask.ask);
    log.debug("ask_ended", {
      ask: ask.ask,
      trace_id: ask.headers?.["traceparent"]?.split("-")[1],
      endpoint: ask.endpoint,
      outcome,
      ms: clock.now() - startedAt,
      status,
    });
    if (status === 401 || status === 403)
      log.warn("upstream_key_refused", { upstream: upstream.shown, status });
    if (outcome === "fail" && status === undefined) onBroken();
  };

  const cancel = (id: string) => {
    running.get(id)?.stopping.abort();
    running.delete(id);
  };

  return {
    start(ask, replies) {
      if (running.has(ask.ask)) return;
      if (leaving) return refuse(ask.ask, "the agent is leaving", replies);
      if (running.size >= slots) return refuse(ask.ask, "the agent has no free slot", replies);
      const stopping = new AbortController();
      // Entered before it runs, as it may be over within the call.
      const entry: Running = { stopping, replies, over: Promise.resolve() };
      running.set(ask.ask, entry);
      entry.over = run(ask, replies, stopping);
    },
    cancel,
    cancelAll() {
      for (const id of [...running.keys()]) cancel(id);
    },
    async finish() {
      leaving = true;
      while (running.size > 0) await Promise.all([...running.values()].map(({ over }) => over));
    },
    abandon() {
      for (const [id, { replies }] of [...running]) {
        cancel(id);
        refuse(id, "the agent is leaving", replies);
      }
    },
  };
}
