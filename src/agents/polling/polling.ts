import { createSecret, hashSecret, type Secret } from "../../auth/secret.ts";
import { newSessionId } from "../../auth/sessions/cookie.ts";
import { BoundedMap } from "../../bounded-map.ts";
import { AppError } from "../../errors.ts";
import { parseBoundedJson } from "../../json/parse.ts";
import {
  type AnswerHead,
  HEAD_BYTES_MAX,
  MESSAGES_MAX,
  RequestHead,
  readLines,
  SESSION_HEADER,
} from "../../protocol/agent-polling.ts";
import { frameFault } from "../../protocol/agent-v2.ts";
import { shownKey } from "../admission.ts";
import type { Arrivals } from "../arrivals.ts";
import type { AgentRequest, Entrance } from "../entrance.ts";
import { V2Connection, type V2Options } from "../v2.ts";
import { linesResponse } from "./lines-response.ts";
import { ABSENT_MS, POLL_MS, PollingSession, type SessionAnswer } from "./session.ts";

/** A request of an agent that long-polls. */
export interface PollRequest extends AgentRequest {
  /** Aborts when the agent has gone. */
  signal: AbortSignal;
  /** Reads the body, until the signal ends that. */
  readText(cut: AbortSignal): Promise<string>;
}

export interface PollingOptions extends V2Options {
  /** How much may wait for one agent. */
  waitingBytesMax: number;
  entrance: Entrance;
  arrivals: Arrivals;
}

interface Opened {
  session: PollingSession;
  /** The key that was shown; undefined for none. */
  key: Secret | undefined;
}

/** How many sessions that have ended are known by name, so that their agents learn why. */
const ENDED_MAX = 1000;

const SMALL_BYTES = 64 * 1024;
const NEVER = new AbortController().signal;

/** A body has one message of the largest size, or several small ones. */
export const bodyBytesMax = (frameBytesMax: number): number => frameBytesMax + 64 * 1024;

const UNKNOWN_HINT =
  "The session has ended, or the request has reached another server than those before. Begin a new session. A load balancer must send all requests of an agent to one server.";

/** The agents that long-poll. Each has a session, in which it exchanges the messages of a WebSocket by requests. */
export class PollingAgents {
  /** By the hashes of their names, so that the time of the look-up tells nothing about a name. */
  readonly #open = new Map<string, Opened>();
  readonly #ended = new BoundedMap<string, Opened>(ENDED_MAX);

  constructor(private readonly options: PollingOptions) {}

  /** Answers a request: without the name of a session it opens one. Rejects with an `AppError`. */
  async answer(asked: PollRequest): Promise<Response> {
    const name = asked.headers.get(SESSION_HEADER);
    if (name === null) return this.#begin(asked);
    const { session } = this.#find(name, asked);
    const leave = session.enter();
    try {
      return await this.#exchange(session, asked);
    } finally {
      leave();
    }
  }

  /** Sends a text to every agent. */
  publish(text: string): void {
    for (const { session } of this.#open.values()) session.sendText(text);
  }

  /** Resolves once every agent whose session has ended knows that. */
  async told(): Promise<void> {
    await Promise.all([...this.#ended.values()].map(({ session }) => session.told));
  }

  async #begin(asked: PollRequest): Promise<Response> {
    const { entrance, arrivals, frameBytesMax, waitingBytesMax, clock } = this.options;
    const admitted = await entrance.enter(asked, () => undefined);
    const connection = new V2Connection(this.options, { ...admitted, transport: "long-polling" });
    const name = newSessionId();
    const shown = shownKey(asked.headers, asked.pathKey);
    const session = new PollingSession(connection, {
      ...{ clock, frameBytesMax, waitingBytesMax },
      onClosed: ({ code }) => {
        this.#open.delete(hashSecret(name));
        this.#ended.set(hashSecret(name), opened);
        arrivals.closed(connection, code);
      },
    });
    const opened = { session, key: shown === undefined ? undefined : createSecret(shown) };
    this.#open.set(hashSecret(name), opened);
    connection.open(session);
    arrivals.opened(connection);
    const { head, messages } = session.report();
    const begun: AnswerHead = { session: name, poll_ms: POLL_MS, absent_ms: ABSENT_MS, ...head };
    return linesResponse({ head: begun, messages });
  }

  #find(name: string, asked: PollRequest): Opened {
    const hash = hashSecret(name);
    const opened = this.#open.get(hash) ?? this.#ended.get(hash);
    const shown = shownKey(asked.headers, asked.pathKey);
    const isSameKey = opened?.key ? opened.key.matches(shown) : shown === undefined;
    if (!opened || !isSameKey) throw new AppError("agent_session_unknown", { hint: UNKNOWN_HINT });
    if (!opened.key) this.options.entrance.checkKeyless(asked);
    return opened;
  }

  async #exchange(session: PollingSession, { headers, signal, readText }: PollRequest): Promise<Response> {
    if (isCompressed(headers)) throw invalid("it is compressed");
    const isLarge = !isSmall(headers);
    if (isLarge && session.isEnded) return linesResponse(session.report());
    const lines = readLines(await readText(isLarge ? session.startReading() : NEVER));
    if (!lines) throw invalid(`it has more than ${MESSAGES_MAX} messages`);
    const { messages } = lines;
    const { first, received, close } = readHead(lines.head);
    if (first === undefined && messages.length > 0) throw invalid("its head has no `first`");
    if (received !== undefined) session.acknowledge(received);
    if (first !== undefined) session.receive(first, messages);
    if (close) session.leave(close);
    const answer: SessionAnswer =
      received === undefined || close ? session.report() : await session.poll(signal);
    return linesResponse(answer, () => ({
      taken: (bytes) => session.took(bytes),
      cut: session.startAnswering(),
    }));
  }
}

/** Whether the body is so small that any number of them may be read at once. */
const isSmall = (headers: Headers): boolean =>
  Number(headers.get("content-length") ?? Number.POSITIVE_INFINITY) <= SMALL_BYTES;

/** A small body that becomes a large one takes the time of all. */
const isCompressed = (headers: Headers): boolean =>
  (headers.get("content-encoding") ?? "identity").toLowerCase() !== "identity";

function readHead(text: string): RequestHead {
  if (text.length > HEAD_BYTES_MAX) throw invalid("its first line is too long");
  const { data, error } = RequestHead.safeParse(parseBoundedJson(text));
  if (!data) throw invalid(`its first line: ${frameFault(error)}`);
  return data;
}

const invalid = (fault: string): AppError =>
  new AppError("body_invalid", { hint: `The body is not one of long-polling; ${fault}.` });
