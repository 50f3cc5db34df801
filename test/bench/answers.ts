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
}

export function contentOf({ id, deltas, pauseMs, usage }: Wish): string {
  return [id, deltas, pauseMs, usage ? "usage" : "plain"].join(" ");
}

export function wishOf(content: string): Required<Wish> {
  const [id = "", deltas, pauseMs, usage] = content.split(" ");
  return { id, deltas: Number(deltas), pauseMs: Number(pauseMs), usage: usage === "usage" };
}

export function idOf(caller: number, exchange: number): string {
  return String(caller).padStart(4, "0") + String(exchange).padStart(8, "0");
}

/** Returns the text of a delta. */
function wordOf(index: number): string {
  return ` w${String(index).padStart(4, "0")}`;
}

/** Returns the text of a streamed answer, which is the same for all callers. */
export function textOf(deltas: number): string {
  return Array.from({ length: deltas }, (_, index) => wordOf(index)).join("");
}

/** Returns a delta; all deltas of all answers have the same length. */
export function deltaOf(id: string, index: number, tail = ""): string {
  const content = wordOf(index);
  const choices = `[{"index":0,"delta":{"content":"${content}"},"finish_reason":null}]`;
  return `{"id":"chatcmpl-${id}","object":"chat.completion.chunk","created":1700000000,"model":"${MODEL}","choices":${choices}${tail}}`;
}

export function completionOf(id: string): string {
  const message = { role: "assistant", content: `echo ${id}` };
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
