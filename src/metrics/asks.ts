import { type AskRecord, TOKEN_COUNTS } from "../relay/record.ts";
import { createBoundedLabel, memoizeByLabels, OTHER, type Registry } from "./registry.ts";

/** The most models with time series of their own. */
const MODELS_MAX = 100;

/** The bounds range from an answer out of a cache to the longest time limit. */
const WAIT_BUCKETS_S = [0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const NO_MODEL = "none";

/** Returns a function that counts a finished ask. Callers can invent the names of unknown models. */
export function createAskMetrics(
  registry: Registry,
  knowsModel: (model: string) => boolean,
): (record: AskRecord) => void {
  const asks = registry.counter({
    name: "chatgpt_api_asks_total",
    help: "Finished requests to models, by API, model and outcome: ok or the error code.",
    labels: ["surface", "model", "outcome"],
  });
  const retries = registry.counter({
    name: "chatgpt_api_ask_retries_total",
    help: "Retries of requests at another agent after a failure.",
  })();
  const queue = registry.histogram({
    name: "chatgpt_api_ask_queue_seconds",
    help: "Time that requests waited in the queue until they were last sent to an agent, or given up.",
    buckets: WAIT_BUCKETS_S,
  })();
  const answered = createAnswerMetrics(registry);
  const boundedModel = createBoundedLabel(MODELS_MAX);
  const modelOf = (model: string | undefined) => {
    if (model === undefined || model === "") return NO_MODEL;
    return knowsModel(model) ? boundedModel(model) : OTHER;
  };
  return (record) => {
    const model = modelOf(record.model);
    asks(record.surface, model, record.outcome).inc();
    if (record.tries > 1) retries.inc(record.tries - 1);
    queue.observe(record.queueMs / 1000);
    answered(model, record);
  };
}

/** Returns a function that counts what agents answered, by model. */
function createAnswerMetrics(registry: Registry): (model: string, record: AskRecord) => void {
  const common = { labels: ["model"] };
  const waits = { ...common, buckets: WAIT_BUCKETS_S };
  const firstByte = registry.histogram({
    name: "chatgpt_api_ask_first_byte_seconds",
    help: "Time to first byte of requests, including the queue.",
    ...waits,
  });
  const duration = registry.histogram({
    name: "chatgpt_api_ask_duration_seconds",
    help: "Duration of successful requests, from arrival to the end of the answer.",
    ...waits,
  });
  const deltas = registry.counter({
    name: "chatgpt_api_answer_deltas_total",
    help: "Chunks of streamed answers.",
    ...common,
  });
  const characters = registry.counter({
    name: "chatgpt_api_answer_characters_total",
    help: "Length of the answers as agents sent them, in UTF-16 code units.",
    ...common,
  });
  const tokens = registry.counter({
    name: "chatgpt_api_tokens_total",
    help: "Input and output tokens, as reported by upstreams.",
    labels: ["model", "kind"],
  });
  const estimates = registry.counter({
    name: "chatgpt_api_tokens_estimated_total",
    help: "Input and output tokens of the requests whose upstreams reported none: estimates.",
    labels: ["model", "kind"],
  });
  const details = registry.counter({
    name: "chatgpt_api_token_details_total",
    help: "Parts of the input tokens (cached, cache_creation) and of the output tokens (reasoning).",
    labels: ["model", "kind"],
  });
  const parts = (model: string) => ({
    cachedTokens: details(model, "cached"),
    cacheCreationTokens: details(model, "cache_creation"),
    reasoningTokens: details(model, "reasoning"),
  });
  const seriesOf = memoizeByLabels((model = "") => ({
    firstByte: firstByte(model),
    duration: duration(model),
    deltas: deltas(model),
    characters: characters(model),
    reported: { inputTokens: tokens(model, "input"), outputTokens: tokens(model, "output"), ...parts(model) },
    estimated: {
      inputTokens: estimates(model, "input"),
      outputTokens: estimates(model, "output"),
      ...parts(model),
    },
  }));
  return (model, record) => {
    const { outcome, firstByteMs, durationMs, answerLength } = record;
    const series = seriesOf(model);
    if (firstByteMs !== undefined) series.firstByte.observe(firstByteMs / 1000);
    if (outcome === "ok") series.duration.observe(durationMs / 1000);
    if (record.deltas > 0) series.deltas.inc(record.deltas);
    if (answerLength > 0) series.characters.inc(answerLength);
    const counters = record.tokensEstimated ? series.estimated : series.reported;
    for (const name of TOKEN_COUNTS) if (record[name] !== undefined) counters[name].inc(record[name]);
  };
}
