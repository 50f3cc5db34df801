import { onTestFinished } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import { AppError } from "../../../../src/errors.ts";
import { anthropicErrorBody } from "../../../../src/http/errors/anthropic.ts";
import type { ServerEvent } from "../../../../src/http/middleware/event-stream.ts";
import { translateMessages } from "../../../../src/http/models/messages/translate.ts";
import { eventsOf } from "../../../support/upstream/events.ts";

/** The answer of an upstream to a chat completion: a whole body, or the data of each event. */
export type ChatAnswer = { body: string } | { events: readonly string[] };
export type ChatUpstream = (request: Record<string, unknown>) => ChatAnswer | Promise<ChatAnswer>;

export function createContext() {
  let count = 0;
  return {
    newId: () => {
      count += 1;
      return `id${count}`;
    },
    now: () => 1_700_000_000_000,
  };
}

export const translate = (body: unknown) => translateMessages(body, createContext());

/** Returns a request with the required fields and `more`. */
export const ask = (more: Record<string, unknown> = {}) => ({
  model: "m",
  max_tokens: 100,
  messages: [{ role: "user", content: "Hello" }],
  ...more,
});

/** Returns the error with which a request is refused. */
export function refusal(body: unknown): Pick<AppError, "code" | "param" | "hint"> {
  try {
    translate(body);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("the request was translated");
}

export const chunk = (delta: object, choice: object = {}, rest: object = {}): string =>
  JSON.stringify({
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1,
    model: "upstream-model",
    choices: [{ index: 0, delta, finish_reason: null, ...choice }],
    ...rest,
  });

export const finish = (reason: string): string => chunk({}, { finish_reason: reason });

export const usageChunk = (usage: object): string =>
  JSON.stringify({ object: "chat.completion.chunk", model: "upstream-model", choices: [], usage });

export const call = (index: number, fields: { id?: string; name?: string; arguments?: string }): object => {
  const { id, ...called } = fields;
  return { index, ...(id && { id, type: "function" }), function: called };
};

export const calls = (...fragments: object[]): string => chunk({ tool_calls: fragments });

export const completion = (message: object, choice: object = {}, rest: object = {}): string =>
  JSON.stringify({
    id: "chatcmpl-1",
    object: "chat.completion",
    model: "upstream-model",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: null, ...message },
        finish_reason: "stop",
        ...choice,
      },
    ],
    ...rest,
  });

/** Returns the events of a whole stream, as the caller's parser reads them. */
export function streamed(body: unknown, datas: readonly string[]): { event: string; data: unknown }[] {
  const stream = translate(body).stream();
  return [...datas.flatMap((data) => stream.push({ data })), ...stream.end()].map(({ event, data }) => ({
    event,
    data: JSON.parse(data),
  }));
}

const written = ({ event, data }: ServerEvent) => `event: ${event}\ndata: ${data}\n\n`;

async function respond(request: Request, upstream: ChatUpstream): Promise<Response> {
  const translation = translate(await request.json());
  const answer = await upstream(translation.request);
  if ("body" in answer) {
    return new Response(translation.answer(answer.body), { headers: { "content-type": "application/json" } });
  }
  const stream = translation.stream();
  const text = [...answer.events.flatMap((data) => stream.push({ data })), ...stream.end()]
    .map(written)
    .join("");
  return new Response(text, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
}

/** Returns the official SDK, connected to a server that translates each request for `upstream`. */
export function startMessages(upstream: ChatUpstream): Anthropic {
  const server = Bun.serve({
    port: 0,
    fetch: (request) => respond(request, upstream),
    error: (error) =>
      Response.json(anthropicErrorBody({ type: "invalid_request_error", message: error.message }), {
        status: 400,
      }),
  });
  onTestFinished(() => server.stop(true));
  return new Anthropic({ baseURL: `http://127.0.0.1:${server.port}`, apiKey: "key", maxRetries: 0 });
}

/** Returns an upstream that is called over HTTP. */
export const chatUpstreamAt =
  (url: string): ChatUpstream =>
  async (request) => {
    const response = await fetch(`${url}/chat/completions`, {
      method: "POST",
      body: JSON.stringify(request),
    });
    const text = await response.text();
    return request["stream"] ? { events: eventsOf(text).map(({ data }) => data) } : { body: text };
  };
