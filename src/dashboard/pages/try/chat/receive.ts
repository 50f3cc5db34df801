import { text } from "../../../texts/texts.ts";
import { type ChatChunk, readChunk } from "./chat-chunk.ts";
import { readEventData } from "./event-stream.ts";
import type { Answer } from "./types.ts";

/** A failure that the response itself reports, or that its content shows. */
export class AnswerError extends Error {}

/**
 * Reads a response into an answer. Rejects with an `AnswerError` if it reports an error or ends before it is
 * complete.
 */
export async function receive(
  response: Response,
  answer: Answer,
  change: (by: Partial<Answer>) => void,
): Promise<void> {
  change(readHeaders(response.headers, answer.model));
  let hasStarted = false;
  let isComplete = false;
  const addChunk = (chunk: ChatChunk) => {
    const { text: more = "", reasoning = "", tokens, finish, error } = chunk;
    if (error !== undefined) throw new AnswerError(error);
    const isFirstText = more !== "" && answer.text.text === "";
    answer.reasoning.append(reasoning);
    answer.text.append(more);
    if (!hasStarted && (more !== "" || reasoning !== "")) {
      hasStarted = true;
      change({ state: "answering" });
    }
    if (isFirstText) change({ hasText: true });
    if (tokens || finish !== undefined) change({ ...(tokens && { tokens }), ...(finish && { finish }) });
    isComplete ||= chunk.isLast === true || finish !== undefined;
  };
  if (response.body && isEventStream(response)) {
    for await (const data of readEventData(response.body)) addChunk(readChunk(data));
    if (!isComplete) throw new AnswerError(text("try.torn"));
  } else addChunk(readChunk(await response.text()));
}

function isEventStream({ headers }: Response): boolean {
  return headers.get("content-type")?.startsWith("text/event-stream") ?? false;
}

/** Returns what the headers say about who answers. */
function readHeaders(headers: Headers, model: string): Partial<Answer> {
  const requestId = headers.get("x-request-id");
  const agent = headers.get("x-agent-name") ?? headers.get("x-agent-id");
  const usedModel = headers.get("x-model");
  return {
    ...(requestId && { requestId }),
    ...(agent && { agent: decoded(agent) }),
    ...(usedModel && decoded(usedModel) !== model && { usedModel: decoded(usedModel) }),
  };
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
