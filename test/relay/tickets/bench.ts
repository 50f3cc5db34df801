import { AppError } from "../../../src/errors.ts";
import { principalOf } from "../../../src/principal.ts";
import type { AskRecord } from "../../../src/relay/record.ts";
import type { Relay } from "../../../src/relay/relay.ts";
import type { AskRequest, RelayLimits } from "../../../src/relay/types.ts";
import { createFakeClock } from "../../support/clock.ts";
import { settle } from "../../support/relay.ts";
import { joinAgent } from "../../support/transport.ts";
import { type ClusterNode, createCluster } from "./nodes.ts";

interface AskOptions extends Pick<AskRequest, "priority" | "affinity"> {
  user?: string | null;
  model?: string;
  pin?: string;
  prefer?: string;
  tags?: string[][];
  fallbacks?: string[];
  signal?: AbortSignal;
  onDelta?: (data: string) => void;
}

const NEVER = new AbortController().signal;

/** Asks a node. Returns what has come of it so far: the deltas, and the outcome. */
export function ask({ relay }: { relay: Relay }, content: string, options: AskOptions = {}) {
  const { user = "u", model = "m", pin, prefer, tags, fallbacks, signal = NEVER } = options;
  const { priority, affinity } = options;
  const seen = { outcome: "open", deltas: "", agent: "", sent: [] as string[] };
  const request = { endpoint: "chat/completions", stream: true, body: () => content } as const;
  const isV1 = model === "";
  const v1 = { message_id: "", conversation_id: "", parent_id: "", content };
  const work = isV1 ? { v1 } : { model, fallbacks, requests: [request] };
  const onDelta = ({ data }: { data: string }) => {
    seen.deltas += data;
    options.onDelta?.(data);
  };
  const onSent = ({ agentId }: { agentId: string }) => void seen.sent.push(agentId);
  const origin = { requestId: content, surface: "test" };
  relay
    .ask(
      { principal: principalOf(user), priority, affinity, pin, prefer, tags, work, origin, onDelta, onSent },
      signal,
    )
    .then(
      ({ agent, answer }) => {
        seen.outcome = answer.kind === "v1" ? answer.answer.content : `${answer.status}`;
        seen.agent = agent;
      },
      (error) => {
        seen.outcome = error instanceof AppError ? error.code : String(error);
      },
    );
  return seen;
}

/** How long a message takes. */
const DELAY_MS = 1;

/** Nodes that hear each other within a millisecond, on a fake clock. */
export function createBench(count = 2, limits: Partial<RelayLimits> = {}) {
  const clock = createFakeClock();
  const records: { nodeId: string; record: AskRecord }[] = [];
  const delay = { ms: DELAY_MS };
  const cluster = createCluster({
    ...{ clock, count, limits, delayMs: () => delay.ms },
    ended: (nodeId, record) => records.push({ nodeId, record }),
  });
  const [a, b, c] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
  return {
    ...{ a, b, c, cluster, clock, records, delay },
    /** Moves time forward in steps of a millisecond at most, so that promises are looked after. */
    async pass(ms: number, stepMs = 1) {
      for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) {
        clock.advance(Math.min(stepMs, leftMs));
        await settle();
      }
      await settle();
    },
  };
}

/** Joins a v2 agent. */
export const joinV2 = (relay: Relay, id: string, options: Parameters<typeof joinAgent>[2] = {}) =>
  joinAgent(relay, id, { protocol: "v2", ...options });
