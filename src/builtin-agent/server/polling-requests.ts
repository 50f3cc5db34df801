import type { Clock } from "../../clock.ts";
import { parseJson } from "../../json/parse.ts";
import { proxyOption } from "../../net/environment-proxy.ts";
import {
  AnswerHead,
  LINES_TYPE,
  type RequestHead,
  readLines,
  SESSION_HEADER,
  writeLines,
} from "../../protocol/agent-polling.ts";
import { bearer, request } from "../http.ts";
import { ResponseBody } from "../response-body.ts";
import { failedRequest, REFUSAL_BYTES_MAX, refusalOf } from "./refusal.ts";
import type { ConnectionEnd, ConnectionOptions } from "./server-connection.ts";

/** The answer to a request. */
export interface PollAnswer {
  head: AnswerHead;
  messages: string[];
}

/** A request that failed. */
export interface PollFailure extends ConnectionEnd {
  /** The status of the refusal; undefined if no answer has come. */
  status: number | undefined;
}

export type PollOutcome =
  | { answer: PollAnswer; failure?: undefined }
  | { answer?: undefined; failure: PollFailure };

/** How long an answer may take, besides what the server may wait. */
const ANSWER_MS = 10_000;
/** How long an answer may pause. */
const PAUSE_MS = 30_000;
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;
const COOKIES_MAX = 16;
const COOKIE_LENGTH_MAX = 4096;

/** Makes the requests of a session of long-polling. */
export class PollingRequests {
  readonly #url: string;
  readonly #abort = new AbortController();
  #session: string | undefined;
  /** Those of a load balancer, by which all requests of the session reach one server. */
  readonly #cookies = new Map<string, string>();

  constructor(private readonly options: Pick<ConnectionOptions, "server" | "agentKey" | "clock">) {
    this.#url = options.server.url.replace(/^ws/, "http").replace(/\/register$/, "/poll");
  }

  /** Begins the session. */
  async begin(): Promise<PollOutcome> {
    const outcome = await this.#post("", ANSWER_MS);
    this.#session = outcome.answer?.head.session;
    if (outcome.failure || this.#session !== undefined) return outcome;
    return { failure: { reason: "the answer has no session", final: false, status: 200 } };
  }

  /** Sends a request of the session, whose answer the server may delay by `waitMs`. */
  exchange(head: RequestHead, messages: readonly string[], waitMs = 0): Promise<PollOutcome> {
    return this.#post(writeLines(head, messages), waitMs + ANSWER_MS);
  }

  /** Ends all requests. */
  abort(): void {
    this.#abort.abort();
  }

  async #post(body: string, limitMs: number): Promise<PollOutcome> {
    const { agentKey, clock, server } = this.options;
    const { proxy } = server;
    const limit = new TimeLimit(clock, this.#abort.signal);
    limit.set(limitMs);
    try {
      const headers = { ...bearer(agentKey), "content-type": LINES_TYPE, ...this.#sessionHeaders() };
      const init = { method: "POST", headers, body, signal: limit.signal, ...proxyOption(proxy) };
      const response = await request(this.#url, init);
      limit.set(PAUSE_MS);
      const text = await new ResponseBody(response, () => limit.set(PAUSE_MS)).text(
        response.status === 200 ? ANSWER_BYTES_MAX : REFUSAL_BYTES_MAX,
      );
      this.#keepCookies(response.headers);
      const answer = response.status === 200 ? readAnswer(text) : undefined;
      if (answer) return { answer };
      const { reason, final } = refusalOf({ response, text, url: this.#url, proxy });
      return { failure: { reason, final, status: response.status } };
    } catch (error) {
      return { failure: { ...failedRequest(error, this.#url, proxy), status: undefined } };
    } finally {
      limit.end();
    }
  }

  #sessionHeaders(): Record<string, string> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    return {
      ...(this.#session !== undefined && { [SESSION_HEADER]: this.#session }),
      ...(cookie !== "" && { cookie }),
    };
  }

  #keepCookies(headers: Headers): void {
    for (const line of headers.getSetCookie()) {
      const [, name, value = ""] = /^\s*([^=;\s]+)=([^;]*)/.exec(line) ?? [];
      if (name === undefined || line.length > COOKIE_LENGTH_MAX) continue;
      if (this.#cookies.has(name) || this.#cookies.size < COOKIES_MAX) this.#cookies.set(name, value.trim());
    }
  }
}

/** Returns undefined if the body is not an answer of long-polling. */
function readAnswer(text: string | undefined): PollAnswer | undefined {
  const lines = readLines(text ?? "");
  const { data } = AnswerHead.safeParse(parseJson(lines?.head ?? ""));
  return lines && data && { head: data, messages: lines.messages };
}

/** Ends a request that takes too long. */
class TimeLimit {
  readonly #abort = new AbortController();
  readonly signal: AbortSignal;
  #stop = () => {};

  constructor(
    private readonly clock: Clock,
    ended: AbortSignal,
  ) {
    this.signal = AbortSignal.any([this.#abort.signal, ended]);
  }

  set(ms: number): void {
    this.#stop();
    this.#stop = this.clock.after(ms, () => this.#abort.abort(new DOMException("too slow", "TimeoutError")));
  }

  end(): void {
    this.#stop();
  }
}
