import { z } from "zod";
import { timeOrDate } from "../../usage/query-fields.ts";
import { count, namedObject, text, time } from "../../values.ts";

/** How an agent is for one model, worst last. */
export const MODEL_AGENT_STATES = ["ready", "full", "slow", "failing", "paused", "draining"] as const;
export type ModelAgentState = (typeof MODEL_AGENT_STATES)[number];

export const ModelsQuery = z.object({
  from: timeOrDate.describe("Count requests from this date, or time in RFC 3339, on. Default: an hour ago."),
});

const ms = z.number().nonnegative();

const ModelAgent = z.strictObject({
  id: text,
  name: text,
  /** The name of the node that it is connected to, in a cluster. */
  node: text.optional(),
  /**
   * `failing`: it fails most of its latest requests, or gets none for this model after failures. `slow`: its answers take
   * long to begin. `full`: all its slots are in use.
   */
  state: z.enum(MODEL_AGENT_STATES),
  /** Whether it has the model in memory; null if it does not tell. */
  loaded: z.boolean().nullable(),
  /** Why it fails, in a sentence without its full stop; null if it does not. */
  reason: text.nullable(),
});
export type ModelAgent = z.output<typeof ModelAgent>;

const AgentCounts = z.strictObject({
  total: count,
  ...(Object.fromEntries(MODEL_AGENT_STATES.map((state) => [state, count])) as {
    [State in ModelAgentState]: typeof count;
  }),
  /** How many have the model in memory; null if none tells. */
  loaded: count.nullable(),
});

/** The requests that ended in the period, and their times within 9%. Null stands for nothing to measure. */
const Requests = z.strictObject({
  asks: count,
  failed: count,
  /** The share of the requests for all models, 0 to 1; null if there were none. */
  share: z.number().min(0).max(1).nullable(),
  /** Refused with `model_not_found`, as no agent had offered the model since the server started. */
  refused: count,
  first_byte_ms_p50: ms.nullable(),
  first_byte_ms_p95: ms.nullable(),
  /** Output tokens per second of streamed answers after their first byte, the mean of all tokens. */
  tokens_per_second: ms.nullable(),
});

export const AdminModel = namedObject("AdminModel", {
  id: text,
  /** When an agent first offered it, since the server started; null if none does. */
  offered_since: time.nullable(),
  owned_by: text.nullable(),
  /** The least that an agent reports, in tokens. */
  context_length: count.nullable(),
  /** The kinds of input, such as `text` and `image`; null if no agent tells. */
  input_modalities: z.array(text).nullable(),
  /** The abilities in Ollama's words; null if no agent tells. */
  capabilities: z.array(text).nullable(),
  /** The aliases that lead to it. */
  aliases: z.array(text),
  /** If an alias has its name: the model that callers get instead. */
  replaced_by: text.nullable(),
  /** The models that answer when it cannot, in order. */
  fallbacks: z.array(text),
  agents: AgentCounts,
  /** Some of these agents, those that fail first; all of them in the answer about one model. */
  agent_list: z.array(ModelAgent),
  /** The newest failure of these agents that still counts. */
  last_error: z
    .strictObject({ agent: z.strictObject({ id: text, name: text }), reason: text, at: time })
    .nullable(),
  requests: Requests,
  /** The requests that wait for it now, and how long the first has waited. */
  queue: z.strictObject({ waiting: count, oldest_wait_ms: ms.nullable() }),
});
export type AdminModel = z.output<typeof AdminModel>;

const PERIOD = {
  from: time,
  to: time,
  /** The names of the nodes of a cluster that did not send all of their agents and requests in time. */
  missing_nodes: z.array(text).optional(),
};

export const AdminModelList = namedObject("AdminModelList", {
  ...PERIOD,
  /** Sorted by name. A model without agents is there because it was asked for in the period. */
  models: z.array(AdminModel),
});

export const AdminModelAnswer = namedObject("AdminModelAnswer", { ...PERIOD, model: AdminModel });
