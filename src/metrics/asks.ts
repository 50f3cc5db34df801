import type { AskRecord } from "../relay/record.ts";
import { createBoundedLabel, createChildren, OTHER } from "./labels.ts";
import type { Registry } from "./registry.ts";

export interface AskMetricsOptions {
  registry: Registry;
  /** Whether an agent offers the model, or did: a caller can make up any other name. */
  knowsModel(model: string): boolean;
  /** Of how many models there are figures at most. */
  modelsMax: number;
}

/** From a quick cache to the longest limit there is. */
const WAIT_BUCKETS_S = [0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const NO_MODEL = "none";

/** Counts asks, once each, when they are over. */
export function createAskMetrics({
  registry,
  knowsModel,
  modelsMax,
}: AskMetricsOptions): (record: AskRecord) => void {
  const asks = registry.counter({
    name: "chatgpt_api_asks_total",
    help: "Asks that are over, by the route's name, the model and what became of them: ok or the code of the error.",
    labels: ["surface", "model", "outcome"],
  });
  const retries = registry.counter({
    name: "chatgpt_api_ask_retries_total",
    help: "Times that an ask was sent to another agent because the one before had failed.",
  })();
  const queue = registry.histogram({
    name: "chatgpt_api_ask_queue_seconds",
    help: "How long asks waited until they were sent to an agent the last time, or given up.",
    buckets: WAIT_BUCKETS_S,
  })();
  const answered = createAnswerMetrics(registry);
  const boundedModel = createBoundedLabel(modelsMax);
  const modelOf = (model: string | undefined) => {
    if (model === undefined || model === "") return NO_MODEL;
    return knowsModel(model) ? boundedModel(model) : OTHER;
  };
  return (record) => {
    const model = modelOf(record.model);
    asks(record.origin.surface, model, record.outcome).inc();
    if (record.tries > 1) retries.inc(record.tries - 1);
    queue.observe(record.queueMs / 1000);
    answered(model, record);
  };
}

/** What agents gave, by model. */
function createAnswerMetrics(registry: Registry): (model: string, record: AskRecord) => void {
  const common = { labels: ["model"] };
  const waits = { ...common, buckets: WAIT_BUCKETS_S };
  const firstByte = registry.histogram({
    name: "chatgpt_api_ask_first_byte_seconds",
    help: "From an ask's coming until the first byte of its answer.",
    ...waits,
  });
  const duration = registry.histogram({
    name: "chatgpt_api_ask_duration_seconds",
    help: "From an ask's coming until the end of its answer, of those that ended well.",
    ...waits,
  });
  const deltas = registry.counter({
    name: "chatgpt_api_answer_deltas_total",
    help: "Pieces of streamed answers.",
    ...common,
  });
  const characters = registry.counter({
    name: "chatgpt_api_answer_characters_total",
    help: "Length of the answers as agents sent them, in UTF-16 code units.",
    ...common,
  });
  const tokens = registry.counter({
    name: "chatgpt_api_tokens_total",
    help: "Tokens of prompts and completions, where the upstream gave figures.",
    labels: ["model", "kind"],
  });
  const childrenOf = createChildren((model = "") => ({
    firstByte: firstByte(model),
    duration: duration(model),
    deltas: deltas(model),
    characters: characters(model),
    prompt: tokens(model, "prompt"),
    completion: tokens(model, "completion"),
  }));
  return (model, record) => {
    const { outcome, firstByteMs, durationMs, answerLength, usage } = record;
    const of = childrenOf(model);
    if (firstByteMs !== undefined) of.firstByte.observe(firstByteMs / 1000);
    if (outcome === "ok") of.duration.observe(durationMs / 1000);
    if (record.deltas > 0) of.deltas.inc(record.deltas);
    if (answerLength > 0) of.characters.inc(answerLength);
    if (!usage) return;
    of.prompt.inc(usage.prompt_tokens);
    of.completion.inc(usage.completion_tokens);
  };
}
