import { AppError, type ErrorCode } from "../../src/errors.ts";
import { principalOf } from "../../src/principal.ts";
import type { AskRecord } from "../../src/relay/record.ts";
import { Relay } from "../../src/relay/relay.ts";
import type { AskRequest, AskResult, Delta, RelayLimits, Signal } from "../../src/relay/types.ts";
import { createFakeClock, type FakeClock } from "./clock.ts";

export const LIMITS: RelayLimits = {
  queueMax: 1000,
  queueUserMax: 250,
  queueWaitMs: 120_000,
  reconnectGraceMs: 10_000,
  firstByteMs: 120_000,
  wholeAnswerMs: 600_000,
  betweenDeltasMs: 60_000,
  wholeStreamMs: 7_200_000,
  agentFailuresMax: 3,
  affinityWaitMs: 1_000,
  frameBytesMax: 32 * 1024 ** 2,
  pingEveryMs: 30_000,
  pongWithinMs: 5_000,
};

/** Returns the same jitter each time. */
const HALF = () => 0.5;

const STEP_MS = 1_000;

/** No caller leaves. */
const NEVER: Signal = { aborted: false, addEventListener: () => {} };

interface AskOptions extends Pick<AskRequest, "affinity" | "priority" | "tags" | "onSent" | "onWaiting"> {
  /** A user's id; undefined for the user `user`, null for the admin. */
  user?: string | null;
  pin?: string;
  signal?: AbortSignal;
  /** A model makes it an ask for v2 agents that have the model; without one it is for v1 agents. */
  model?: string;
  /** The allowed models. */
  models?: string[];
  prefer?: string;
  fallbacks?: string[];
  /** The hash of the token that the user sent. */
  tokenHash?: string;
  onDelta?: (delta: Delta) => void;
}

/** The relay with a fake clock, and helpers that ask. */
export interface RelayBench {
  relay: Relay;
  clock: FakeClock;
  /** Moves time forward in small steps, so that agents answer their pings in between. */
  pass(ms: number): Promise<void>;
  /**
   * Asks, and returns the outcome as text: the content of a v1 answer, the status of another, or the error's
   * code.
   */
  ask(content: string, options?: AskOptions): Promise<string>;
  /** Asks, and returns the whole result. */
  askWhole(content: string, options?: AskOptions): Promise<AskResult>;
}

export function createRelayBench(
  limits: Partial<RelayLimits> = {},
  ended: (record: AskRecord) => void = () => {},
  random = HALF,
): RelayBench {
  const clock = createFakeClock();
  let ids = 0;
  const observe = { joined: () => {}, left: () => {}, ended };
  const relay = new Relay({
    ...{ clock, random, observe, newId: () => `id-${++ids}` },
    limits: { ...LIMITS, ...limits },
  });
  const askWhole: RelayBench["askWhole"] = (content, options = {}) => {
    const { user = "user", signal = NEVER, model, models, fallbacks, ...rest } = options;
    const v1 = { message_id: "", conversation_id: "", parent_id: "", content };
    const request = { endpoint: "chat/completions", stream: true, body: () => content } as const;
    const what = model === undefined ? { v1 } : { model, requests: [request] };
    const work = { ...what, models, fallbacks };
    const origin = { requestId: "req", surface: "test" };
    return relay.ask({ principal: principalOf(user), work, origin, ...rest }, signal);
  };
  return {
    relay,
    clock,
    askWhole,
    pass: async (ms) => {
      for (let leftMs = ms; leftMs > 0; leftMs -= STEP_MS) {
        clock.advance(Math.min(leftMs, STEP_MS));
        await settle();
      }
    },
    ask: async (content, options) => {
      try {
        const { answer } = await askWhole(content, options);
        return answer.kind === "v1" ? answer.answer.content : `${answer.status}`;
      } catch (error) {
        if (error instanceof AppError) return codeOf(error);
        throw error;
      }
    },
  };
}

const codeOf = ({ code }: AppError): ErrorCode => code;

/** Lets settled promises reach the code that waits for them. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** Resolves to `"open"` if the promise is not settled yet. */
export async function peek(promise: Promise<string>): Promise<string> {
  await settle();
  return Promise.race([promise, Promise.resolve("open")]);
}
