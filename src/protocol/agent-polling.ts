import { z } from "zod";

/**
 * Long-polling: how an agent of v2 exchanges the messages of its WebSocket by requests, where WebSockets do not get
 * through. `docs/agent-protocol.md` describes it. Both sides number their messages from 1, keep them until the other
 * side has acknowledged them, and drop those that they have already, so that a lost or repeated request does no harm.
 *
 * The body of each request and of each answer is a list of lines: its head, a JSON object, and then the messages.
 */
export const SESSION_HEADER = "agent-session";

/** The hint of the server's 400 for a registration that is not a WebSocket upgrade. */
export const NO_UPGRADE_HINT = "Agents register here with a WebSocket upgrade.";

/** Lines of JSON. */
export const LINES_TYPE = "application/x-ndjson";

/** How large a head may be, with the line break. */
export const HEAD_BYTES_MAX = 1024;

/** Messages go together in one body up to this size, as proxies limit it, often to 1 MB. A larger one goes alone. */
export const BODY_BYTES = 512 * 1024;

/**
 * How many messages a body may have. Frames of asks have 60 bytes and more, so `BODY_BYTES` has fewer. Without a limit,
 * a body of line breaks alone would be split into as many texts as it has bytes.
 */
export const MESSAGES_MAX = 10_000;

const number = z.int().nonnegative().max(Number.MAX_SAFE_INTEGER);

/** The end of the session, as the close frame of a WebSocket tells it. */
const close = z.object({ code: z.int().min(1000).max(4999), reason: z.string().max(HEAD_BYTES_MAX / 4) });
export type SessionClose = z.output<typeof close>;

/** The head of a request within a session. */
export const RequestHead = z.object({
  /** The number of the first message that follows. Missing if none does. */
  first: number.min(1).optional(),
  /**
   * The number of the last message of the server that the agent has. The request is a poll then: it is answered once
   * there is a newer message.
   */
  received: number.optional(),
  /** The agent leaves. */
  close: close.optional(),
});
export type RequestHead = z.output<typeof RequestHead>;

/** The head of an answer. */
export const AnswerHead = z.object({
  /** The name of the session, which begins with this answer. */
  session: z.string().min(16).max(128).optional(),
  /** How long the server keeps a poll if it has no message. */
  poll_ms: z.int().positive().optional(),
  /** How long a session lasts without a request. */
  absent_ms: z.int().positive().optional(),
  /** The number of the last message of the agent that the server has. */
  received: number,
  /** The number of the last message of the server. The agent has it once it has polled as far. */
  sent: number,
  /** The number of the first message that follows. Missing if none does. */
  first: number.min(1).optional(),
  /** The session has ended with the messages that follow. */
  close: close.optional(),
});
export type AnswerHead = z.output<typeof AnswerHead>;

/** Returns a body. JSON on one line has no line break, so each message is a line. */
export function writeLines(head: RequestHead | AnswerHead, messages: readonly string[]): string {
  return [JSON.stringify(head), ...messages].join("\n");
}

/**
 * Returns the head of a body as text, and its messages, without empty lines. Undefined if it has more than
 * `MESSAGES_MAX` lines after its head.
 */
export function readLines(body: string): { head: string; messages: string[] } | undefined {
  const lines = body.split("\n", MESSAGES_MAX + 2);
  if (lines.length > MESSAGES_MAX + 1) return undefined;
  const [head = "", ...messages] = lines;
  return { head, messages: messages.filter((line) => line !== "" && line !== "\r") };
}
