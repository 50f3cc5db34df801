import type { V1Answer } from "./agent-v1.ts";
import { type AgentFrame, ASK_ID_LENGTH_MAX, EVENT_NAME, TOKENS_MAX, type Usage } from "./agent-v2.ts";

/*
 * What agents send most, checked by hand in a tenth of the time that its schema takes. A check accepts only what the
 * schema would read alike. Anything else is undefined, and for the schema to judge.
 */

/** Reads a frame about a running ask, or a pong. */
export function plainFrame(value: unknown): AgentFrame | undefined {
  const frame = (value ?? {}) as Record<string, unknown>;
  const { type, ask } = frame;
  if (type === "pong") return { type };
  if (typeof ask !== "string" || ask.length === 0 || ask.length > ASK_ID_LENGTH_MAX) return undefined;
  switch (type) {
    case "accept":
    case "alive":
      return { type, ask };
    case "delta": {
      const { data, event } = frame;
      if (typeof data !== "string") return undefined;
      if (event === undefined) return { type, ask, data };
      return isEventName(event) ? { type, ask, data, event } : undefined;
    }
    case "done":
      return plainDone(ask, frame);
    default:
      return undefined;
  }
}

const isEventName = (value: unknown): value is string =>
  typeof value === "string" && value.length <= EVENT_NAME.lengthMax && EVENT_NAME.pattern.test(value);

function plainDone(ask: string, frame: Record<string, unknown>): AgentFrame | undefined {
  const { status, body, usage, headers } = frame;
  if (!isWhole(status, 100, 599) || headers !== undefined) return undefined;
  if (body !== undefined && typeof body !== "string") return undefined;
  if (usage === undefined) return { type: "done", ask, status, body };
  const counts = plainCounts(usage);
  return counts && { type: "done", ask, status, body, usage: counts };
}

/** Reads a usage without details. */
function plainCounts(usage: unknown): Usage | undefined {
  const counts = (usage ?? {}) as Record<string, unknown>;
  const { prompt_tokens, completion_tokens } = counts;
  if (!isWhole(prompt_tokens, 0, TOKENS_MAX) || !isWhole(completion_tokens, 0, TOKENS_MAX)) return undefined;
  if (counts["prompt_tokens_details"] != null || counts["completion_tokens_details"] != null)
    return undefined;
  return { prompt_tokens, completion_tokens };
}

const UPSTREAM_COUNTS: ReadonlySet<string> = new Set(["prompt_tokens", "completion_tokens", "total_tokens"]);

/** Reads an upstream's usage that has nothing but OpenAI's two counts and their sum. */
export function plainUpstreamUsage(usage: unknown): Usage | undefined {
  const counts = plainCounts(usage);
  if (!counts) return undefined;
  const given = usage as Record<string, unknown>;
  for (const name in given) if (!UPSTREAM_COUNTS.has(name) && given[name] !== null) return undefined;
  return given["total_tokens"] === counts.prompt_tokens + counts.completion_tokens ? counts : undefined;
}

/** Reads the answer of a v1 agent that has all its texts. */
export function plainV1Answer(value: unknown): V1Answer | undefined {
  const { id, response_id, conversation_id, content, error } = (value ?? {}) as Record<string, unknown>;
  return isText(id) && isText(response_id) && isText(conversation_id) && isText(content) && isText(error)
    ? { id, response_id, conversation_id, content, error }
    : undefined;
}

const isText = (value: unknown): value is string => typeof value === "string" && value.isWellFormed();

const isWhole = (value: unknown, min: number, max: number): value is number =>
  Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
