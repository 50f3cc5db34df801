import type { V1Answer, V1Request } from "../../src/protocol/agent-v1.ts";

export interface AgentRequest extends V1Request {
  /** The id of the frame. */
  id: string;
}

/** The frames that an agent sends instead of a proper answer. */
const FAULTS = {
  /** The frame that the Firefox agent sends for each failure of its own. */
  error: ({ id }: AgentRequest) => [errorFrame(id)],
  garbage: () => ["no JSON"],
  mistyped: ({ id }: AgentRequest) => [frameOf(id, { content: "an object, not a string" })],
  unreadable: ({ id }: AgentRequest) => [frameOf(id, "no JSON")],
  list: ({ id }: AgentRequest) => [frameOf(id, "[]")],
  /** An unsolicited answer before the proper one. */
  stray: (request: AgentRequest) => [
    frameOf(crypto.randomUUID(), answerOf(request, { content: "stray" })),
    frameOf(request.id, answerOf(request)),
  ],
  silent: () => [],
};

/** `drop` cuts the connection. */
export type Fault = keyof typeof FAULTS | "drop";

/** Replaces keys of the default answer, which has new ids and echoes the content. */
export type Outcome = Partial<V1Answer> | Fault;

/** Returns the frames with which an agent produces `outcome`. Cutting the connection needs none. */
export function framesFor(request: AgentRequest, outcome: Exclude<Outcome, "drop">): string[] {
  if (typeof outcome === "string") return FAULTS[outcome](request);
  return [frameOf(request.id, answerOf(request, outcome))];
}

export const errorFrame = (id: string) =>
  JSON.stringify({ id, message: "error", data: "Unknown error", error: {} });

const frameOf = (id: string, data: unknown) => JSON.stringify({ id, message: "ChatGptResponse", data });

const answerOf = (request: AgentRequest, changes: Partial<V1Answer> = {}) =>
  JSON.stringify({
    id: request.message_id,
    response_id: crypto.randomUUID(),
    conversation_id: request.conversation_id || crypto.randomUUID(),
    content: `echo: ${request.content}`,
    error: "",
    ...changes,
  });
