import { completionOf, contentOf, deltaOf, eventOf, idOf, MODEL, streamOf } from "./answers.ts";
import type { HttpConnection } from "./http-connection.ts";
import type { Tally } from "./tally.ts";

/** Makes one request and checks its answer to the last byte. Rejects for a wrong answer. */
export type Exchange = (at: Place, tally: () => Tally) => Promise<void>;

export interface Place {
  connection: HttpConnection;
  token: string;
  /** The number of the caller, and the number of its exchange. */
  caller: number;
  exchange: number;
}

interface WholeOptions {
  pauseMs?: number;
  /**
   * Counts refusals for a full queue, after which the caller pauses this long. Without it, a refusal is
   * wrong.
   */
  refusedPauseMs?: number;
}

const DELTA_BYTES = Buffer.byteLength(eventOf(deltaOf(idOf(0, 0), 0)));

/** Uses `POST /api/ask`, which v1 agents answer. */
export function askExchange(options: WholeOptions = {}): Exchange {
  return wholeExchange("/api/ask", options, (content) => JSON.stringify({ content }), {
    isRight: (body, content) => JSON.parse(body).content === `echo: ${content}`,
  });
}

/** Uses `POST /v1/chat/completions` without streaming, which v2 agents answer. */
export function chatExchange(options: WholeOptions = {}): Exchange {
  return wholeExchange("/v1/chat/completions", options, chatBody(false), {
    isRight: (body, _, id) => body === completionOf(id),
  });
}

function wholeExchange(
  path: string,
  { pauseMs = 0, refusedPauseMs }: WholeOptions,
  bodyOf: (content: string) => string,
  { isRight }: { isRight(body: string, content: string, id: string): boolean },
): Exchange {
  return async ({ connection, token, caller, exchange }, tally) => {
    const id = idOf(caller, exchange);
    const content = contentOf({ id, deltas: 0, pauseMs });
    let answer = "";
    const began = performance.now();
    const status = await connection.send(requestOf(path, token, bodyOf(content)), (bytes, from, to) => {
      answer += bytes.toString("latin1", from, to);
    });
    if (refusedPauseMs !== undefined && (status === 429 || status === 503)) {
      tally().refused++;
      await Bun.sleep(refusedPauseMs);
      return;
    }
    if (status !== 200 || !isRight(answer, content, id)) throw wrong(path, id, status, answer);
    const counted = tally();
    counted.units++;
    counted.latenciesMs.push(performance.now() - began);
    counted.byToken.set(token, (counted.byToken.get(token) ?? 0) + 1);
  };
}

interface StreamOptions {
  deltas: number;
  pauseMs?: number;
  usage?: boolean;
  /** The unit that is counted. */
  unit: "stream" | "delta";
}

/** Uses `POST /v1/chat/completions` with streaming. */
export function streamExchange({ deltas, pauseMs = 0, usage = false, unit }: StreamOptions): Exchange {
  return async ({ connection, token, caller, exchange }, tally) => {
    const id = idOf(caller, exchange);
    const expected = Buffer.from(streamOf(id, deltas));
    const content = contentOf({ id, deltas, pauseMs, usage });
    let got = 0;
    let isRight = true;
    const began = performance.now();
    const body = chatBody(true)(content);
    const status = await connection.send(
      requestOf("/v1/chat/completions", token, body),
      (bytes, from, to) => {
        if (got === 0) tally().firstsMs.push(performance.now() - began);
        const until = got + to - from;
        isRight &&= until <= expected.length && bytes.compare(expected, got, until, from, to) === 0;
        if (unit === "delta") tally().units += (to - from) / DELTA_BYTES;
        got = until;
      },
    );
    if (status !== 200 || !isRight || got !== expected.length)
      throw wrong("a stream", id, status, `${got} bytes, expected ${expected.length}`);
    const counted = tally();
    if (unit === "stream") counted.units++;
    counted.latenciesMs.push(performance.now() - began);
  };
}

function chatBody(stream: boolean) {
  return (content: string) =>
    JSON.stringify({ model: MODEL, messages: [{ role: "user", content }], ...(stream ? { stream } : {}) });
}

function requestOf(path: string, token: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function wrong(what: string, id: string, status: number, answer: string): Error {
  return new Error(`Wrong answer of ${what} to ${id}: ${status} ${answer.slice(0, 500)}`);
}
