import { onTestFinished } from "bun:test";
import { AppError } from "../../src/errors.ts";
import type { ServerEvent } from "../../src/http/middleware/event-stream.ts";
import { translateResponses } from "../../src/http/models/responses/translate.ts";
import type { TranslationContext } from "../../src/http/models/translation.ts";

type Json = Record<string, unknown>;

/** The upstream's answer: the data of streamed events, or one body. */
export type ChatAnswer = (request: Json) => Promise<readonly string[]> | readonly string[];

export const RESPONSES_NOW_MS = 1_700_000_000_123;

/** Numbered ids and a clock that stands still. */
export function countingContext(): TranslationContext {
  let count = 0;
  const newId = () => {
    count += 1;
    return String(count);
  };
  return { newId, now: () => RESPONSES_NOW_MS };
}

/** Returns a chunk with a delta of the first choice. */
export const chunk = (delta: Json, rest: Json = {}): string =>
  JSON.stringify({
    id: "chatcmpl-1",
    model: "m",
    choices: [{ index: 0, delta, finish_reason: null, ...rest }],
  });
export const finish = (reason: string): string => chunk({}, { finish_reason: reason });
export const usageChunk = (usage: Json): string => JSON.stringify({ model: "m", choices: [], usage });

/** Returns the body of a chat completion that was not streamed. */
export const completion = (message: Json, rest: Json = {}, top: Json = {}): string =>
  JSON.stringify({
    model: "m",
    choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason: "stop", ...rest }],
    ...top,
  });

/** Returns all events for a streamed answer with these data. */
export function streamedEvents(body: unknown, data: readonly string[]): ServerEvent[] {
  const stream = translateResponses(body, countingContext()).stream();
  return [...data.flatMap((event) => stream.push({ data: event })), ...stream.end()];
}

/**
 * Starts a real server whose `/v1/responses` are translated for `upstream`. `requests` has the requests that
 * the upstream received. A refusal is a 400 in the shape of OpenAI's errors.
 */
export function serveResponses(upstream: ChatAnswer): { url: string; requests: Json[] } {
  const requests: Json[] = [];
  const server = Bun.serve({
    port: 0,
    idleTimeout: 0,
    routes: {
      "/v1/responses": {
        POST: async (request) => {
          try {
            const translation = translateResponses(await request.json(), countingContext());
            requests.push(translation.request);
            const data = await upstream(translation.request);
            if (!translation.request["stream"])
              return Response.json(JSON.parse(translation.answer(data[0] ?? "")));
            const stream = translation.stream();
            const events = [...data.flatMap((event) => stream.push({ data: event })), ...stream.end()];
            const text = events.map((event) => `event: ${event.event}\ndata: ${event.data}\n\n`).join("");
            return new Response(text, { headers: { "content-type": "text/event-stream" } });
          } catch (error) {
            if (!(error instanceof AppError)) throw error;
            const { message, hint, param, code } = error;
            const told = { message: `${message}. ${hint}`, type: "invalid_request_error", param, code };
            return Response.json({ error: told }, { status: 400 });
          }
        },
      },
    },
  });
  onTestFinished(() => server.stop(true));
  return { url: `http://127.0.0.1:${server.port}/v1`, requests };
}
