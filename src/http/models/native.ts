import { z } from "zod";
import { AppError } from "../../errors.ts";
import { type Entry, removeField, setFields } from "../../json/edit.ts";
import { parseJson } from "../../json/parse.ts";
import { type Endpoint, isOllamaEndpoint } from "../../protocol/agent-v2.ts";
import { CHAT_STREAM_END } from "../../protocol/chat.ts";
import { failureOf, NO_ANSWER } from "../../protocol/chat-ending.ts";
import type { Delta, ModelRequest } from "../../relay/types.ts";
import type { ErrorStyle } from "../errors/style.ts";
import type { ServerEvent } from "../middleware/event-stream.ts";
import { FALLBACK_LISTS, ownLists, withoutLists } from "./names/fallbacks.ts";
import { checkNativeAnswer, NativeLines } from "./ollama/native-lines.ts";
import type { Plan, PlanStream } from "./plan.ts";
import type { CallerFields } from "./responses/caller-fields.ts";
import type { ModelAskBody } from "./schema.ts";

interface NativeRequest {
  /** The body as the caller sent it, and what the server reads of it. */
  text: string;
  /** The entries of the text. */
  entries: readonly Entry[];
  body: ModelAskBody;
  /** Whether the answer is streamed. */
  stream: boolean;
  /** Whether the agent that uses this model gets the lists of further models. */
  passesLists: (model: string) => boolean;
  headers: Record<string, string>;
  /** Makes the last event of a stream that fails. */
  style: ErrorStyle;
  /** The fields of a response that say what the caller's request means. */
  callerFields?: CallerFields | undefined;
}

/**
 * Returns the plan that passes the request straight through to an agent whose upstream has the very endpoint.
 * In the body only the model's name changes, if it was an alias or a fallback is used. A streamed chat is always asked for its
 * usage, which is hidden again if the caller did not ask for it.
 */
export function nativePlan(
  endpoint: Endpoint,
  { text, entries, body: fields, stream, passesLists, headers, style, callerFields }: NativeRequest,
): Plan {
  // The plan is kept until the answer is complete, so it must not refer to the parsed body.
  const { model: named, stream_options: options } = fields;
  const isChatLike = endpoint === "chat/completions" || endpoint === "completions";
  const hidesUsage = stream && isChatLike && options?.include_usage !== true;
  const lists = FALLBACK_LISTS.filter((list) => entries.some(({ key }) => key === list));
  const body: ModelRequest["body"] = (model, refused) => {
    const asksUsage = hidesUsage && !refused.has("stream_options");
    const changes = {
      ...(model !== named && { model }),
      ...(asksUsage && { stream_options: { ...options, include_usage: true } }),
    };
    const hasChanges = Object.keys(changes).length > 0;
    const left = passesLists(model) ? lists.filter((list) => refused.has(list)) : lists;
    if (left.length === 0) return hasChanges ? setFields(text, changes, entries) : text;
    const shorter = withoutLists(text, left);
    return hasChanges ? setFields(shorter, changes) : shorter;
  };
  const shown = hidesUsage
    ? ({ data }: Delta) => withoutUsage(data)
    : (delta: Delta) => callerFields?.inEvent(delta) ?? delta.data;
  return {
    request: {
      ...{ endpoint, stream, headers },
      added: [...(hidesUsage ? ["stream_options" as const] : []), ...ownLists(endpoint, lists)],
      body,
    },
    isNative: true,
    answer: (body) => {
      if (isOllamaEndpoint(endpoint)) checkNativeAnswer(endpoint, body);
      if (isChatLike && NO_LIST.test(body) && !HAS_CHOICE.test(body))
        throw new AppError("agent_answer_invalid", { hint: NO_CHOICES });
      return callerFields?.inResponse(body) ?? body;
    },
    stream: () =>
      isOllamaEndpoint(endpoint) ? new NativeLines(style) : new NativeStream(isChatLike, shown, style),
  };
}

/** Only an answer or event that matches has a choice. In a quoted text the quotes are escaped. */
const HAS_CHOICE = /"choices"\s*:\s*\[\s*\{/;
/** Without a choice, this is an answer whose choices are not a list. Clients stumble over it. */
const NO_LIST = /"choices"\s*:\s*(?:null|\{)/;
const NO_CHOICES = "The agent's upstream sent no list of choices.";

class NativeStream implements PlanStream {
  #hasChoice = false;
  #first: string | undefined;
  #last = "";
  #hasDone = false;
  #count = 0;

  constructor(
    /** Whether there must be a choice, and `[DONE]` as the last event. */
    private readonly isChatLike: boolean,
    /** Returns the data of an event as the caller gets it; undefined if the caller gets none. */
    private readonly shown: (delta: Delta) => string | undefined,
    private readonly style: ErrorStyle,
  ) {}

  push(delta: Delta): ServerEvent[] {
    const { data, event = "" } = delta;
    this.#hasChoice ||= !this.isChatLike || HAS_CHOICE.test(data);
    // The end of nothing is a failure.
    if (data === CHAT_STREAM_END && !this.#hasChoice && !isError(this.#last)) return [];
    this.#last = data;
    this.#hasDone ||= data === CHAT_STREAM_END;
    const shown = this.shown(delta);
    if (shown === undefined) return [];
    this.#first ??= shown;
    this.#count++;
    return [{ event, data: shown }];
  }

  end(): ServerEvent[] {
    // After an error, `[DONE]` would say that the answer is whole.
    const isEnded = !this.isChatLike || this.#hasDone || isError(this.#last);
    if (!isEnded && !this.#hasChoice) throw new AppError("agent_failed", { extra: { err: NO_ANSWER } });
    return isEnded ? [] : [{ event: "", data: CHAT_STREAM_END }];
  }

  fail(error: AppError, requestId: string): ServerEvent[] {
    return [this.style.streamEvent(error, requestId, { count: this.#count, first: this.#first })];
  }
}

const isError = (data: string): boolean =>
  data.includes('"error"') && failureOf(parseJson(data)) !== undefined;

const UsageChunk = z.object({
  choices: z.array(z.unknown()).nullish(),
  usage: z.unknown().optional(),
  error: z.unknown().optional(),
});

/**
 * Returns the data of a chunk without its usage, or undefined for a chunk that holds nothing else: one without
 * choices, which may be empty, `null` or absent. DeepSeek, Mistral and OpenRouter send the usage with the last
 * choice.
 */
function withoutUsage(data: string): string | undefined {
  if (!data.includes('"usage"')) return data;
  const chunk = UsageChunk.safeParse(parseJson(data)).data;
  if (!chunk || chunk.usage === undefined) return data;
  if (chunk.usage === null) return endsWithNullUsage(data) ? withoutEnd(data) : removeField(data, "usage");
  return chunk.choices?.length || failureOf(chunk) ? removeField(data, "usage") : undefined;
}

const NULL_USAGE = ',"usage":null}';

/**
 * Returns whether the data ends with the null usage. Upstreams put it there, in every delta, and it need not
 * be searched for then. `data` must be a JSON object.
 */
const endsWithNullUsage = (data: string): boolean =>
  data.endsWith(NULL_USAGE) && data.indexOf('"usage"') === data.length - NULL_USAGE.length + 1;

const withoutEnd = (data: string): string => `${data.slice(0, -NULL_USAGE.length)}}`;
