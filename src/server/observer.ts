import type { Monitor } from "../alerts/monitor.ts";
import type { Limits } from "../auth/limits/limits.ts";
import type { LiveOverview } from "../http/live/overview.ts";
import type { TrafficMeter } from "../http/traffic/meter.ts";
import type { Log, LogFields } from "../log/log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { unitsOfNanos } from "../prices/money.ts";
import type { PriceBook } from "../prices/price-book.ts";
import { principalName } from "../principal.ts";
import type { MediaUsage } from "../protocol/bytes/media-usage.ts";
import type { RelayObserver } from "../relay/options.ts";
import { type AskRecord, shownModel } from "../relay/record.ts";
import type { AgentIdentity } from "../relay/types.ts";
import type { UsageStore } from "../store/store.ts";

interface ObserverOptions {
  log: Log;
  metrics: Metrics;
  usage: UsageStore;
  limits: Limits;
  prices: Pick<PriceBook, "costNanosOf">;
  overview: Pick<LiveOverview, "noteAsk">;
  traffic: Pick<TrafficMeter, "note">;
  monitor: Pick<Monitor, "agentJoined" | "agentLeft" | "unserved">;
}

/** Passes the relay's events on to the log, the metrics, the usage, the limits, the overview, the traffic and the alerts. */
export function createObserver(options: ObserverOptions): RelayObserver {
  const { log, metrics, usage, limits, prices, overview, traffic, monitor } = options;
  const agentFieldsOf = ({ id, address, key }: AgentIdentity) => ({ agent: id, address, key: key?.name });
  return {
    joined(agent) {
      metrics.agents.joined();
      monitor.agentJoined(agent);
      log.info("agent_joined", agentFieldsOf(agent));
    },
    left(agent, reason) {
      metrics.agents.left(reason ?? "socket_closed");
      monitor.agentLeft(agent, reason);
      log.info("agent_left", { ...agentFieldsOf(agent), reason: reason ?? "socket closed" });
    },
    ended(record) {
      const { principal, inputTokens = 0, outputTokens = 0, at } = record;
      const costNanos = prices.costNanosOf(record);
      record.costNanos = costNanos;
      usage.record(record);
      const spent = { tokens: inputTokens + outputTokens, costNanos: costNanos ?? 0 };
      limits.countSpent(principal, spent, at, at + Math.round(record.durationMs));
      metrics.askEnded(record);
      overview.noteAsk(record);
      traffic.note(record);
      if (record.outcome === "no_agent") monitor.unserved(record.model);
      log.info("ask", askFieldsOf(record));
    },
  };
}

/** Returns what the log tells about a finished ask, with the id of its request. */
function askFieldsOf(record: AskRecord): LogFields {
  const { surface, principal, agent, model, outcome, tries, deltas, media } = record;
  const [, traceId, spanId] = record.traceparent?.split("-") ?? [];
  return {
    request_id: record.requestId,
    trace_id: traceId,
    span_id: spanId,
    surface,
    user: principalName(principal),
    agent,
    agent_node: record.agentNode,
    model: shownModel(model),
    outcome,
    status: record.upstreamStatus,
    tries,
    queue_ms: record.queueMs,
    first_byte_ms: record.firstByteMs,
    ms: record.durationMs,
    deltas,
    answer_length: record.answerLength,
    input_tokens: record.inputTokens,
    output_tokens: record.outputTokens,
    cached_tokens: record.cachedTokens,
    cache_creation_tokens: record.cacheCreationTokens,
    reasoning_tokens: record.reasoningTokens,
    tokens_estimated: record.tokensEstimated || undefined,
    ...(media && mediaFieldsOf(media)),
    cost: record.costNanos == null ? undefined : unitsOfNanos(record.costNanos),
  };
}

const mediaFieldsOf = ({ audioMs, images, searchUnits, inputBytes, outputBytes }: MediaUsage): LogFields => ({
  audio_ms: audioMs,
  images,
  search_units: searchUnits,
  input_bytes: inputBytes,
  output_bytes: outputBytes,
});
