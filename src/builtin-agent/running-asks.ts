import type { Clock } from "../clock.ts";
import type { Log } from "../log/log.ts";
import type { FrameSender } from "./connection.ts";
import { failFrame } from "./end-frame.ts";
import { type AskFrame, runAsk } from "./run-ask.ts";
import type { Upstream } from "./upstream.ts";

export interface RunningAsksOptions {
  upstream: Upstream;
  slots: number;
  clock: Clock;
  log: Log;
  /** Called when a request could not reach the upstream, or its answer broke off. */
  onBroken: () => void;
}

interface RunningAsk {
  stopping: AbortController;
  server: FrameSender;
  /** Resolves when the ask has ended. */
  over: Promise<void>;
}

export type RunningAsks = ReturnType<typeof createRunningAsks>;

/** Returns the asks that the agent works on, none at first. */
export function createRunningAsks({ upstream, slots, clock, log, onBroken }: RunningAsksOptions) {
  const running = new Map<string, RunningAsk>();
  let leaving = false;

  const refuse = (id: string, message: string, server: FrameSender) =>
    void server.send({ ...failFrame(message, true), ask: id });

  const run = async (ask: AskFrame, server: FrameSender, stopping: AbortController) => {
    const startedAt = clock.now();
    const { result, status } = await runAsk({ ask, upstream, server, clock, stopping });
    if (running.get(ask.ask)?.stopping === stopping) running.delete(ask.ask);
    log.debug("ask_ended", {
      ask: ask.ask,
      trace_id: ask.headers?.["traceparent"]?.split("-")[1],
      endpoint: ask.endpoint,
      outcome: result,
      ms: clock.now() - startedAt,
      status,
    });
    if (status === 401 || status === 403)
      log.warn("upstream_key_refused", { upstream: upstream.shown, status });
    if (result === "fail" && status === undefined) onBroken();
  };

  const cancel = (id: string) => {
    running.get(id)?.stopping.abort();
    running.delete(id);
  };

  return {
    /** Starts an ask, or tells the server to give it to another agent: when leaving, or without a free slot. */
    start(ask: AskFrame, server: FrameSender) {
      if (running.has(ask.ask)) return;
      if (leaving) return refuse(ask.ask, "the agent is leaving", server);
      if (running.size >= slots) return refuse(ask.ask, "the agent has no free slot", server);
      const stopping = new AbortController();
      // Added before it runs, as it may end within the call.
      const entry: RunningAsk = { stopping, server, over: Promise.resolve() };
      running.set(ask.ask, entry);
      entry.over = run(ask, server, stopping);
    },
    /** Aborts an ask that nobody waits for any more. Its slot is free at once. */
    cancel,
    /** Aborts all asks, because the connection that they came from is gone. */
    cancelAll(): void {
      for (const id of [...running.keys()]) cancel(id);
    },
    /** Takes no more asks, and resolves when none is running. */
    async finish(): Promise<void> {
      leaving = true;
      while (running.size > 0) await Promise.all([...running.values()].map(({ over }) => over));
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
