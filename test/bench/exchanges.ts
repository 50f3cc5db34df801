import {
  completionOf,
  contentOf,
  deltaOf,
  eventOf,
  idOf,
  MODEL,
  STREAM_END,
  streamOf,
  textOf,
} from "./answers.ts";
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
  deltas?: number;
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

interface Turn {
  conversation_id: string;
  parent_id: string;
}

/** The deltas of an answer to `/api/ask` by a v2 agent. */
const ASK_DELTAS = 3;

/**
 * Uses `POST /api/ask`, which agents of either protocol answer. Each caller continues their conversation for this
 * many turns, then begins another.
 */
export function conversationExchange(turns: number): Exchange {
  const last = new Map<number, Turn>();
  return async (place, tally) => {
    const { caller, exchange } = place;
    const before = exchange % turns === 0 ? undefined : last.get(caller);
    const whole = wholeExchange(
      "/api/ask",
      { deltas: ASK_DELTAS },
      (content) => JSON.stringify({ content, ...before }),
      {
        isRight: (body, content) => {
          const answer = JSON.parse(body);
          last.set(caller, { conversation_id: answer.conversation_id, parent_id: answer.response_id });
          return answer.content === `echo: ${content}` || answer.content === textOf(ASK_DELTAS);
        },
      },
    );
    await whole(place, tally);
  };
}

/** The headers that another gateway needs, and whether it may write the same answer in other bytes. */
export interface PeerOptions {
  headers?: string;
  isRewritten?: boolean;
}

/** Uses `POST /v1/chat/completions` without streaming, which v2 agents answer. */
export function chatExchange(options: WholeOptions & PeerOptions = {}): Exchange {
  const isSame = (body: string, id: string) =>
    JSON.parse(body).choices[0].message.content === JSON.parse(completionOf(id)).choices[0].message.content;
  return wholeExchange("/v1/chat/completions", options, chatBody(false), {
    isRight: (body, _, id) => body === completionOf(id) || (options.isRewritten === true && isSame(body, id)),
  });
}

function wholeExchange(
  path: string,
  { pauseMs = 0, deltas = 0, refusedPauseMs, headers = "" }: WholeOptions & PeerOptions,
  bodyOf: (content: string) => string,
  { isRight }: { isRight(body: string, content: string, id: string): boolean },
): Exchange {
  return async ({ connection, token, caller, exchange }, tally) => {
    const id = idOf(caller, exchange);
    const content = contentOf({ id, deltas, pauseMs });
    let answer = "";
    const began = performance.now();
    const status = await connection.send(
      requestOf(path, bodyOf(content), { token, headers }),
      (bytes, from, to) => {
        answer += bytes.toString("latin1", from, to);
      },
    );
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

interface StreamOptions extends PeerOptions {
  deltas: number;
  pauseMs?: number;
  usage?: boolean;
  /** The unit that is counted. */
  unit: "stream" | "delta";
}

/** Uses `POST /v1/chat/completions` with streaming. */
export function streamExchange(options: StreamOptions): Exchange {
  const { deltas, pauseMs = 0, usage = false, unit, headers = "", isRewritten = false } = options;
  return async ({ connection, token, caller, exchange }, tally) => {
    const id = idOf(caller, exchange);
    const check = isRewritten ? new TextCheck(id, deltas) : new ByteCheck(id, deltas);
    const began = performance.now();
    const body = chatBody(true)(contentOf({ id, deltas, pauseMs, usage }));
    let isFirst = true;
    const request = requestOf("/v1/chat/completions", body, { token, headers });
    const status = await connection.send(request, (bytes, from, to) => {
      if (isFirst) tally().firstsMs.push(performance.now() - began);
      isFirst = false;
      check.push(bytes, from, to);
      if (unit === "delta") tally().units += (to - from) / DELTA_BYTES;
    });
    if (status !== 200 || !check.isRight()) throw wrong("a stream", id, status, check.seen());
    const counted = tally();
    if (unit === "stream") counted.units++;
    counted.latenciesMs.push(performance.now() - began);
  };
}

/** Whether a stream is right to the last byte. */
class ByteCheck {
  readonly #expected: Buffer;
  #got = 0;
  #isSame = true;

  constructor(id: string, deltas: number) {
    this.#expected = Buffer.from(streamOf(id, deltas));
  }

  push(bytes: Buffer, from: number, to: number): void {
    const until = this.#got + to - from;
    this.#isSame &&=
      until <= this.#expected.length && bytes.compare(this.#expected, this.#got, until, from, to) === 0;
    this.#got = until;
  }

  isRight(): boolean {
    return this.#isSame && this.#got === this.#expected.length;
  }

  seen(): string {
    return `${this.#got} bytes, expected ${this.#expected.length}`;
  }
}

/** Whether a stream has the right text and the right end, in whatever bytes. */
class TextCheck {
  #text = "";

  constructor(
    private readonly id: string,
    private readonly deltas: number,
  ) {}

  push(bytes: Buffer, from: number, to: number): void {
    this.#text += bytes.toString("utf8", from, to);
  }

  isRight(): boolean {
    const data = this.#text.split("\n\n").flatMap((event) => event.match(/^data: (.*)$/m)?.[1] ?? []);
    if (data.pop() !== STREAM_END) return false;
    const contents = data.map((json) => JSON.parse(json).choices[0]?.delta.content ?? "");
    return contents.join("") === textOf(this.deltas) && this.#text.includes(this.id);
  }

  seen(): string {
    return this.#text;
  }
}

function chatBody(stream: boolean) {
  return (content: string) =>
    JSON.stringify({ model: MODEL, messages: [{ role: "user", content }], ...(stream ? { stream } : {}) });
}

function requestOf(
  path: string,
  body: string,
  { token, headers }: { token: string; headers: string },
): string {
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}

function wrong(what: string, id: string, status: number, answer: string): Error {
  return new Error(`Wrong answer of ${what} to ${id}: ${status} ${answer.slice(0, 500)}`);
}
