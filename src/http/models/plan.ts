import { removeField, setField } from "../../json/edit.ts";
import { parseJson } from "../../json/parse.ts";
import type { Endpoint } from "../../protocol/agent-v2.ts";
import { CHAT_STREAM_END } from "../../protocol/chat.ts";
import type { Delta, ModelRequest } from "../../relay/ports.ts";
import type { ServerEvent } from "../middleware/event-stream.ts";
import { ChatFailure } from "./chunk.ts";
import { type ModelAskHead, UsageChunk } from "./schema.ts";
import type { Translation } from "./translation.ts";

/** One way to have a request answered: what an agent is sent, and what its answer becomes. */
export interface Way {
  request: ModelRequest;
  /** The body of a good answer, as the caller gets it. */
  body(answer: string): string;
  /** Begins a streamed answer. */
  open(): OpenWay;
}

export interface OpenWay {
  events(delta: Delta): ServerEvent[];
  end(): ServerEvent[];
  /** What ends a failed stream; undefined leaves that to the surface. */
  fail?(error: { message: string; type: string; code: string | null }): ServerEvent[];
}

type ChatLike = "chat/completions" | "completions";
const isChatLike = (endpoint: string): endpoint is ChatLike =>
  endpoint === "chat/completions" || endpoint === "completions";

interface NativeRequest {
  /** The caller's body. */
  text: string;
  head: ModelAskHead;
  /** The model's name at the agents. */
  model: string;
  headers: Record<string, string>;
}

/**
 * Straight through: the agent's upstream has the very endpoint. Of the body only the model's name changes, where
 * it was an alias; of a streamed chat nothing but the usage figures, which are asked for in any case and taken
 * out again where the caller did not.
 */
export function nativeWay(endpoint: Endpoint, { text, head, model, headers }: NativeRequest): Way {
  const stream = head.stream ?? false;
  const named = model === head.model ? text : setField(text, "model", model);
  const asksUsage = stream && isChatLike(endpoint) && head.stream_options?.include_usage !== true;
  const body = asksUsage
    ? setField(named, "stream_options", { ...head.stream_options, include_usage: true })
    : named;
  return {
    request: { endpoint, stream, headers, body: () => body },
    body: (answer) => answer,
    open: () => openNative(isChatLike(endpoint), asksUsage),
  };
}

function openNative(endsWithDone: boolean, hidesUsage: boolean): OpenWay {
  let last = "";
  return {
    events({ data, event = "" }) {
      last = data;
      const shown = hidesUsage ? withoutUsage(data) : data;
      return shown === undefined ? [] : [{ event, data: shown }];
    },
    end() {
      // Behind an error it would say that the answer is whole.
      const isEnded = !endsWithDone || last === CHAT_STREAM_END || isError(last);
      return isEnded ? [] : [{ event: "", data: CHAT_STREAM_END }];
    },
  };
}

const isError = (data: string): boolean =>
  data.includes('"error"') && ChatFailure.safeParse(parseJson(data)).success;

/** Undefined for a chunk that has nothing but the figures. */
function withoutUsage(data: string): string | undefined {
  if (!data.includes('"usage"')) return data;
  const chunk = UsageChunk.safeParse(parseJson(data)).data;
  if (!chunk || chunk.usage === undefined) return data;
  if (chunk.usage === null) return endsWithNoUsage(data) ? withoutEnd(data) : removeField(data, "usage");
  return chunk.choices?.length === 0 ? undefined : data;
}

const NO_USAGE = ',"usage":null}';

/** Where upstreams put it, in every delta; it need not be searched for then. `data` must be a valid JSON object. */
const endsWithNoUsage = (data: string): boolean =>
  data.endsWith(NO_USAGE) && data.indexOf('"usage"') === data.length - NO_USAGE.length + 1;

const withoutEnd = (data: string): string => `${data.slice(0, -NO_USAGE.length)}}`;

/** By way of a chat completion, for agents whose upstream has nothing else. */
export function translatedWay(translation: Translation, stream: boolean, model: string): Way {
  const body = JSON.stringify({ ...translation.request, model });
  return {
    request: { endpoint: "chat/completions", stream, body: () => body },
    body: (answer) => translation.answer(answer),
    open() {
      const events = translation.stream();
      return {
        events: ({ data }) => events.push(data),
        end: () => events.end(),
        fail: (error) => events.fail(error),
      };
    },
  };
}
