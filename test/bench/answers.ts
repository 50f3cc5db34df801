/*
 * The requests of the callers and the answers of the agents. Both sides make them from the caller's own id, so that
 * an answer of another caller, or with a lost or doubled byte, does not pass.
 */

export const MODEL = "bench";
export const STREAM_END = "[DONE]";

/** A pause of this length lasts until the bench tells the agents to finish the request. */
export const HELD_MS = 600_000;

/** The answer that a caller wants from an agent, as the content of its message says. */
export interface Wish {
  /** Twelve digits, never used twice. */
  id: string;
  /** The number of deltas of a streamed answer. */
  deltas: number;
  /** The pause between two deltas, or before a whole answer. */
  pauseMs: number;
  /** Each delta has `"usage":null` if the request asks for usage, as some upstreams do. */
  usage?: boolean;
  /** How many characters are added to each delta, or to the whole answer. */
  padding?: number;
}

export function contentOf({ id, deltas, pauseMs, usage, padding }: Wish): string {
  const fields = [id, deltas, pauseMs, usage ? "usage" : "plain"];
  return [...fields, ...(padding === undefined ? [] : [padding])].join(" ");
}

export function wishOf(content: string): Required<Wish> {
  const [id = "", deltas, pauseMs, usage, padding = 0] = content.split(" ");
  const isUsed = usage === "usage";
  return { id, deltas: Number(deltas), pauseMs: Number(pauseMs), usage: isUsed, padding: Number(padding) };
}

export function idOf(caller: number, exchange: number): string {
  return String(caller).padStart(4, "0") + String(exchange).padStart(8, "0");
}

const paddingOf = (length: number): string => ".".repeat(length);

/** Returns the text of a delta. */
function wordOf(index: number): string {
  return ` w${String(index).padStart(4, "0")}`;
}

/** Returns the text of a streamed answer, which is the same for all callers. */
export function textOf(deltas: number): string {
  return Array.from({ length: deltas }, (_, index) => wordOf(index)).join("");
}

/** Returns a delta; all deltas of all answers have the same length. */
export function deltaOf(id: string, index: number, tail = "", padding = 0): string {
  const content = wordOf(index) + paddingOf(padding);
  const choices = `[{"index":0,"delta":{"content":"${content}"},"finish_reason":null}]`;
  return `{"id":"chatcmpl-${id}","object":"chat.completion.chunk","created":1700000000,"model":"${MODEL}","choices":${choices}${tail}}`;
}

export function completionOf(id: string, padding = 0): string {
  const message = { role: "assistant", content: `echo ${id}${paddingOf(padding)}` };
  const choices = [{ index: 0, message, finish_reason: "stop" }];
  const usage = { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 };
  return JSON.stringify({ id: `chatcmpl-${id}`, object: "chat.completion", model: MODEL, choices, usage });
}

/** Returns the bytes of a streamed answer, as the caller must receive them. */
export function streamOf(id: string, deltas: number): string {
  let text = "";
  for (let index = 0; index < deltas; index++) text += eventOf(deltaOf(id, index));
  return text + eventOf(STREAM_END);
}

export function eventOf(data: string): string {
  return `data: ${data}\n\n`;
}
