import { connectSource, takeBody, takeHead } from "./byte-source.ts";
import { HANG_MS } from "./until.ts";
import { eventsOf, type StreamedEvent } from "./upstream/events.ts";

export type StreamPath = "/api/ask" | "/v1/chat/completions";

interface CallOptions {
  key: string;
  body: object;
  /**
   * Cuts the connection after this time, after this many bytes of the response, or once the event has
   * occurred.
   */
  leaveAfter?: { ms: number } | { bytes: number } | { event: Promise<unknown> };
  /** Cuts the connection if the answer has not ended by then. Default: `HANG_MS`. */
  limitMs?: number;
  /** Called with all of the response until now, head included, whenever more of it has arrived. */
  onReceived?: (received: string) => void;
}

/**
 * The end of a streamed ask. `whole`: with its end mark. `failed`: with an error event. `refused`: with a
 * status. `cut`: the server closed the connection without any of these. `left`: the caller closed it. `late`:
 * the caller closed it because the answer took too long.
 */
export interface StreamEnding {
  how: "whole" | "failed" | "refused" | "cut" | "left" | "late" | "unreachable";
  /** 0 without a response. */
  status: number;
  headers: Headers;
  body: string;
  events: StreamedEvent[];
  /** The text of all deltas, joined. */
  text: string;
  /** The message of the error event, or in the body of a refusal. */
  error: string;
}

/**
 * Reads every byte on a connection of its own, so that a cut is not mistaken for a proper end. Never rejects.
 */
export async function askStreamed(
  url: string,
  path: StreamPath,
  { key, body, leaveAfter, limitMs = HANG_MS, onReceived }: CallOptions,
): Promise<StreamEnding> {
  const source = connectSource(url);
  let ours: "left" | "late" | undefined;
  let connected = false;
  const leave = (how: "left" | "late") => {
    ours ??= how;
    source.socket.destroy();
  };
  source.socket.on("connect", () => {
    connected = true;
  });
  let bytes = 0;
  let received = "";
  const decoder = new TextDecoder();
  source.socket.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    received += decoder.decode(chunk, { stream: true });
    onReceived?.(received);
    if (leaveAfter && "bytes" in leaveAfter && bytes >= leaveAfter.bytes) leave("left");
  });
  const timers = [setTimeout(() => leave("late"), limitMs)];
  if (leaveAfter && "ms" in leaveAfter) timers.push(setTimeout(() => leave("left"), leaveAfter.ms));
  if (leaveAfter && "event" in leaveAfter) void leaveAfter.event.then(() => leave("left"));
  const text = JSON.stringify({ ...body, stream: true });
  source.write(
    [
      `POST ${path} HTTP/1.1`,
      "host: localhost",
      `authorization: Bearer ${key}`,
      "content-type: application/json",
      `content-length: ${Buffer.byteLength(text)}`,
      "connection: close",
      "",
      text,
    ].join("\r\n"),
  );
  const head = await takeHead(source);
  const answer = head ? await takeBody(source, head) : "";
  for (const timer of timers) clearTimeout(timer);
  source.socket.destroy();
  const read = readEnding(head?.status ?? 0, answer);
  const how = ours ?? (connected ? read.how : "unreachable");
  return { status: head?.status ?? 0, headers: head?.headers ?? new Headers(), body: answer, ...read, how };
}

function readEnding(status: number, body: string): Pick<StreamEnding, "how" | "events" | "text" | "error"> {
  if (status === 0) return { how: "cut", events: [], text: "", error: "" };
  if (status !== 200) return { how: "refused", events: [], text: "", error: errorOf(parse(body)) };
  const events = eventsOf(body);
  const values = events.map(({ data }) => parse(data));
  const text = values.map(pieceOf).join("");
  const error = errorOf(values.at(-1));
  const how = events.at(-1)?.data === "[DONE]" ? "whole" : error ? "failed" : "cut";
  return { how, events, text, error };
}

type Json = Record<string, unknown> & { choices?: { delta?: { content?: string } }[] };

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pieceOf(value: Json | undefined): string {
  const piece = value?.["delta"] ?? value?.choices?.[0]?.delta?.content;
  return typeof piece === "string" ? piece : "";
}

/** Returns the text of `{"error":text}` or `{"error":{"message":text}}`. */
function errorOf(value: Json | undefined): string {
  const error = value?.["error"];
  if (typeof error === "string") return error;
  const message = (error as { message?: unknown } | undefined)?.message;
  return typeof message === "string" ? message : "";
}
