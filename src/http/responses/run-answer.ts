import { AppError } from "../../errors.ts";
import type { Relay } from "../../relay/relay.ts";
import type { Signal } from "../../relay/types.ts";
import type { Exchange } from "../exchange.ts";
import type { EventStream, ServerEvent } from "../middleware/event-stream.ts";
import { type StreamAskDeps, streamAsk } from "../middleware/stream-ask.ts";
import { send } from "../models/answer-request.ts";
import { askWhole, type EventsToCaller, type ModelAsk, type ModelReply, ModelStream } from "../models/ask.ts";
import type { ResponseKeeper } from "./keeper.ts";
import type { Recording } from "./recording.ts";

/** A request that is about to be answered. */
export interface Asked {
  ask: ModelAsk;
  /** The same for an upstream that turns out not to have the response which the request continues. */
  expanded: (() => ModelAsk) | undefined;
  /** Undefined if the response is not kept. */
  keeper: ResponseKeeper | undefined;
}

type Deps = StreamAskDeps & { relay: Relay };

/** Answers without a stream. */
export async function answerWhole(exchange: Exchange, { relay }: Deps, asked: Asked): Promise<Response> {
  const { signal } = exchange.request;
  const { ask, keeper } = asked;
  const reply = await orExpanded(asked, (again) => askWhole(relay, again ?? ask, signal), isRefusal);
  keeper?.whole(reply);
  const saved = keeper?.saved();
  if (saved !== undefined) await saved;
  return send(exchange, reply);
}

/** Streams the answer, and records it if it is kept. */
export function answerStreamed(
  exchange: Exchange,
  deps: Deps,
  asked: Asked,
  keepAlive: string | undefined,
): Promise<Response> {
  let stream = new ModelStream(deps.relay, asked.ask);
  const tape = asked.keeper ? new Tape(asked.keeper) : UNTAPED;
  return streamAsk(exchange, deps, {
    async run(events, departure) {
      const signal = tape.signal(departure);
      const sink = tape.sink(events);
      const run = (again: ModelAsk | undefined) => {
        if (again) stream = new ModelStream(deps.relay, again);
        return stream.run(sink, signal);
      };
      try {
        const made = await orExpanded(asked, run, ({ reply }) => reply !== undefined && isRefusal(reply));
        exchange.agent = made.agent;
        const saved = tape.end(made);
        if (saved !== undefined) await saved;
        return made.reply && send(exchange, made.reply);
      } catch (error) {
        // Otherwise `fail` ends it.
        if (!events.isStarted) void tape.end({});
        throw error;
      }
    },
    fail: (error) => tape.fail(stream.fail(error, exchange.requestId)),
    keepAlive,
  });
}

/**
 * Asks, and asks once more with the whole history if the upstream refuses the request as it does not have the response
 * which that continues. It refuses before the first event.
 */
async function orExpanded<Made>(
  { expanded }: Asked,
  run: (again: ModelAsk | undefined) => Promise<Made>,
  isRefused: (made: Made) => boolean,
): Promise<Made> {
  if (!expanded) return run(undefined);
  try {
    const made = await run(undefined);
    return isRefused(made) ? await run(expanded()) : made;
  } catch (error) {
    if (!isForgotten(error)) throw error;
    return run(expanded());
  }
}

const isRefusal = ({ status, body }: ModelReply): boolean =>
  isForgotten(new AppError("agent_failed", { upstream: { status, body } }));

/** Whether an upstream has refused a request since it does not have the response which that continues. */
function isForgotten(error: unknown): boolean {
  if (!(error instanceof AppError) || error.code !== "agent_failed") return false;
  const { status, code, body = "" } = error.upstream ?? {};
  if (status !== 400 && status !== 404 && status !== 422) return false;
  return code === "previous_response_not_found" || FORGOTTEN.test(body);
}

const FORGOTTEN = /previous[_ ]response|item_reference|(?:response|item)s?\b[^"]{0,120}\bnot (?:be )?found/i;

/** The recording of one answer, on its way to the caller. */
class Tape {
  readonly #recording: Recording;

  constructor(private readonly keeper: ResponseKeeper) {
    this.#recording = keeper.record();
  }

  /** Returns the signal of an ask whose caller may come back: it outlives the caller for the grace. */
  signal(departure: Signal): Signal {
    const recording = this.#recording;
    if (departure.aborted) recording.callerLeft();
    departure.addEventListener("abort", () => recording.callerLeft());
    return recording.signal;
  }

  /** The recording has each event first, as the caller may ask for it at once. */
  sink(events: EventStream): EventsToCaller {
    return {
      get isStarted() {
        return events.isStarted;
      },
      sendAll: (made) => {
        this.keeper.add(this.#recording, made);
        events.sendAll(made);
      },
    };
  }

  fail(made: readonly ServerEvent[]): readonly ServerEvent[] {
    this.keeper.add(this.#recording, made);
    void this.end({});
    return made;
  }

  end(made: { agent?: string; isNative?: boolean }): Promise<unknown> | undefined {
    this.keeper.end(this.#recording, made);
    return this.keeper.saved();
  }
}

/** For an answer that is not kept. */
const UNTAPED: Pick<Tape, "signal" | "sink" | "fail" | "end"> = {
  signal: (departure) => departure,
  sink: (events) => events,
  fail: (made) => made,
  end: () => undefined,
};
